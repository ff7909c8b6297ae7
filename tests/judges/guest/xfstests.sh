#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# xfstests' generic tests whose numbers are in TESTS. The suite's own driver
# runs them, BATCH at a time; one that hangs costs LIMIT seconds and no more.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/root.sh"
suite=/mnt/share/xfstests
make_root || exit 1
mkdir -p /t/xfstests /layer/suite /layer/suite.work
mount -t overlay -o "lowerdir=$suite,upperdir=/layer/suite,workdir=/layer/suite.work" \
	overlay /t/xfstests
cp "$suite"/lib/host/* /t/usr/lib/x86_64-linux-gnu/ 2>/dev/null
make_fs /dev/vda || exit 1
[ "$FS" != ext4 ] || make_fs /dev/vdb
scratch=/dev/vdb
# Started here, the daemon is none of the programs of a test.
[ "$FS" != lakefs ] || mount.lakefs /dev/vda /t/m && umount /t/m

# A lake fills its device. For tests that ask for a file system of some size
# the scratch device is a mapped one, whose size mkfs changes; the suite is told
# so, and that holes are seen.
if [ "$FS" = lakefs ]; then
	modprobe -q dm_mod
	modprobe -q loop
	export DM_DISABLE_UDEV=1
	scratch=/dev/mapper/scratch
	whole=$(cat /sys/block/vdb/size)
	in_root dmsetup create scratch --table "0 $whole linear /dev/vdb 0"
	mkdir -p /t/empty
	mount -t tmpfs tmpfs /t/empty
	rm -f /t/usr/sbin/mkfs.lakefs
	cp "${0%/*}/mkfs.lakefs" /t/usr/sbin/
	sized='LAKE_BYTES=$fssize mkfs.lakefs --force $SCRATCH_DEV'
	sed -i -e "/^_try_scratch_mkfs_sized()/,/^}/s,^\ttmpfs),\tlakefs) $sized ;;\n&," \
		-e '/^_fstyp_has_non_default_seek_data_hole()/,/^}/s/^\tbtrfs|/\tlakefs|btrfs|/' \
		/t/xfstests/common/rc
	sed -i '/^_small_fs_size_mb()/,/^}/s/^\txfs)/\tlakefs)\n\t\tfs_min_size=96\n\t\t;;\n&/' /t/xfstests/common/rc
	# names are bytes, and an ACL is as long as the longest attribute
	sed -i '/^_require_names_are_bytes()/,/^}/s/|btrfs)/|btrfs|lakefs)/' /t/xfstests/common/rc
	sed -i '/^_acl_get_max()/,/^}/s/^\tjfs)/\tjfs|lakefs)/' /t/xfstests/common/attr
fi
# A check of both lakes after each test takes as long as many a test.
if [ -n "$NO_FSCK" ]; then
	rm -f /t/usr/sbin/fsck.$FS
	ln -s ../bin/true /t/usr/sbin/fsck.$FS
fi
[ -e /t/usr/bin/logger ] || ln -s true /t/usr/bin/logger
cat >/t/xfstests/local.config <<END
export FSTYP=$FS
export TEST_DEV=/dev/vda TEST_DIR=/m
export SCRATCH_DEV=$scratch SCRATCH_MNT=/scratch
export MKFS_OPTIONS="$([ "$FS" = lakefs ] && echo --force)"
export DM_DISABLE_UDEV=1
END

# Whenever a program of the suite starts, it asks the shell where some hundred
# others are, with a process for each: asked once here.
in_root bash -c '
	cd /xfstests/common
	grep -ho "\$(type -P [a-z0-9_.-]*)" config rc | sort -u | tr -d "()" |
		while read -r _ _ name; do
			printf "s,\$(type -P %s),%s,\n" "$name" "$(type -P "$name")"
		done >/tmp/known
	sed -i -f /tmp/known config rc'

# in_use: one of the two file systems is still mounted, wherever
in_use() {
	for mounted in /sys/fs/$FS/vd[ab] /sys/fs/$FS/dm-*; do
		[ ! -e "$mounted" ] || return 0
	done
	return 1
}

# What a test that ran into its limit left: its programs, its mounts, its
# devices. False when the guest is of no use any more. The tests' mounts are in
# a namespace of their own and go with the last program in it.
clean_up() {
	for dir in /proc/[0-9]*; do
		case $(readlink "$dir/ns/mnt") in
		"" | "$(readlink /proc/self/ns/mnt)" | "$(readlink /proc/1/ns/mnt)") ;;
		*) kill -9 "${dir#/proc/}" ;;
		esac
	done 2>/dev/null
	tries=0
	while in_use; do
		[ $tries -lt 10 ] || return 1
		tries=$((tries + 1))
		sleep 1
	done
	in_root dmsetup ls 2>/dev/null | while read -r name _; do
		[ "$name" = scratch ] || [ "$name" = No ] ||
			in_root dmsetup remove -f "$name"
	done >/dev/null 2>&1
	losetup -a | cut -d: -f1 | while read -r loop; do losetup -d "$loop"; done
	return 0
}

# The driver writes a line for each test when it has ended; what belongs to a
# failure follows it.
report() { # NUMBER
	[ "generic/$1" != "$killed" ] || { echo "slow $1"; return; }
	text=$(sed -n "/^generic.$1 /,/^\(generic\|Ran:\)/p" /tmp/xfs.log |
		sed '1!{/^\(generic\|Ran:\)/d;}')
	case $text in
	'') return ;;
	*'[not run]'*) echo "skip $1" ;;
	*[0-9]s)
		case $text in
		*'[failed'* | *' - output'* | *_check_*) echo "fail $1" ;;
		*) echo "pass $1"; return ;;
		esac ;;
	*) echo "fail $1" ;;
	esac
	echo "$text" | tail -n 40 >&2
}

# All that have ended, but the one that runs.
report_new() { # TEST
	for test in $(sed -n 's/^\(generic.[0-9]*\) .*/\1/p' /tmp/xfs.log); do
		case " $reported $1 " in *" $test "*) continue ;; esac
		report "${test#*/}"
		reported="$reported $test"
	done
}

# The driver's output says which test it has begun. False when one runs into its
# limit.
watch() { # PID
	last='' since=$(cut -d. -f1 /proc/uptime)
	while [ -d "/proc/$1" ]; do
		sleep 1
		now=$(sed -n 's/^\(generic.[0-9]*\) .*/\1/p' /tmp/xfs.log | tail -n 1)
		clock=$(cut -d. -f1 /proc/uptime)
		if [ "$now" != "$last" ]; then
			report_new "$now"
			last=$now since=$clock
		elif [ $((clock - since)) -gt "${LIMIT:-900}" ]; then
			echo "$now runs into its limit" >&2
			killed=$now
			return 1
		fi
	done
}

# The suite's root is that of a mount namespace: who is chrooted cannot make a
# user namespace.
run_batch() { # NUMBER...
	reported='' killed=''
	dmesg -C 2>/dev/null
	env -u LD_LIBRARY_PATH PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		/bin/busybox unshare -m /bin/busybox sh -c '
			cd /t && mount --move . / &&
			exec chroot . bash -c "cd /xfstests && exec bash ./check \"\$@\"" check "$@"' \
		own $(printf 'generic/%s ' "$@") >/tmp/xfs.log 2>&1 </dev/null &
	driver=$!
	watch $driver && wait $driver
	report_new ''
	grep -q '^Ran:' /tmp/xfs.log || tail -n 20 /tmp/xfs.log >&2
	grep -q '^Failures:' /tmp/xfs.log && dmesg | tail -n 20 >&2
}

# What the driver had not begun when it was killed stays to be done.
set -- $TESTS
while [ $# -gt 0 ]; do
	batch='' n=0
	while [ $# -gt 0 ] && [ $n -lt "${BATCH:-10}" ]; do
		batch="$batch $1" n=$((n + 1))
		shift
	done
	# shellcheck disable=SC2086 # a list of words
	run_batch $batch
	clean_up || {
		echo "what the tests left cannot be unmounted:$reported" >&2
		exit 1
	}
	[ -n "$reported" ] || exit 1
	for test in $batch; do
		case "$reported " in *"/$test "*) ;; *) set -- "$test" "$@" ;; esac
	done
done
check "$FS is sound afterwards" check_fs /dev/vda
