# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
# What the power-failure instrument must know about lakefs. Sourced by the
# host script (bash) and by the guest scripts (busybox sh).

FS_TYPE=lakefs
FS_MIB=${CRASH_FS_MIB:-128}
FS_VM_OPTIONS='--lake'
FS_RECORD_OPTIONS=''
FS_REPLAY_OPTIONS=''
# Content is durable before a rename that puts it in a file's place is.
# The daemon verifies each state while it is mounted; now and then a lakectl
# of its own does after the unmount, which takes seconds in a guest.
FS_REPLAY_ARGS='--replace-flushes --verify-socket /run/deeplake/laked.sock
	--fsck-every 50'
FS_MEMORY=2G
# The daemon is running and takes what the kernel mounts: mount(2) will do.
FS_MOUNT_HOOK=''
FS_UMOUNT_HOOK=''
# shellcheck disable=SC2016 # DEV is set where the hook runs
FS_FSCK_HOOK='lakectl verify --full "$DEV"'

# Host: lakectl of the parts that the guests get.
fs_lakectl() { "$("$CRASH_ROOT/qemu/parts.sh" tree)/usr/lib/deeplake/lakectl" "$@"; }

fs_make() { fs_lakectl mkfs "$1" >/dev/null; }


# Host: checks the lake in the file $1.
fs_verify() { fs_lakectl verify --full "$1" >/dev/null; }

fs_prepare() {
	if [ -n "$CRASH_CONTROL" ] && [ "$1" = record ]; then
		echo 1 >/sys/module/lakefs/parameters/unsafe_no_flush
		export LAKED_UNSAFE_NO_FLUSH=1
	fi
	if [ -n "${CRASH_INGEST:-}" ] && [ "$1" = record ]; then
		# what is quiet for a second is sealed and shared, then packed
		/usr/lib/deeplake/laked-launcher --wait-ready -- serve \
			--socket /run/deeplake/laked.sock --seal-after 1 --pack-after 1
	else
		/usr/lib/deeplake/laked-launcher --wait-ready
	fi
}

fs_mount() { mount.lakefs "$1" "$2"; }

# With the ingest: a recording in which nothing was packed says nothing of it.
fs_recorded() {
	[ -n "${CRASH_INGEST:-}" ] || return 0
	lakectl stats --json "$1" | tr ',{' '\n\n' |
		grep -E '^"(packed|pack|shared|checked)_blocks":' >&2
	! lakectl stats --json "$1" | grep '"packed_blocks":0,' >/dev/null
}

# Packs are rewritten only when enough has left them, or somebody asks.
fs_collect() {
	while sleep 1; do
		lakectl gc --all /mnt/crash || :
	done
}

fs_disturb() {
	if [ -n "${CRASH_INGEST:-}" ]; then
		fs_collect >/dev/null 2>&1 &
	fi
	[ -z "$CRASH_KILL_DAEMON" ] || exec lakecrash kill --name laked \
		--probe /mnt/crash --sysfs /sys/fs/lakefs/vda1 \
		--max-ms 700 --acks /dev/vda2 --seed "$CRASH_SEED"
}
