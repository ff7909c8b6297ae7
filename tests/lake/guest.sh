#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon: wrong inputs and a full device.
# /dev/vda: empty, 128 MiB. /dev/vdb: ext4. Prints `pass NAME` / `fail NAME`.
. /lib.sh

sum() { md5sum "$1" | cut -d' ' -f1; }

before=$(sum /dev/vdb)
check 'mkfs refuses a device that holds ext4' refused 1 'ext' lakectl mkfs /dev/vdb
check 'and changes nothing' [ "$(sum /dev/vdb)" = "$before" ]
# what is in the middle only: a copy of ext4's superblock, and at one of the 64 places
middle() { # BLOCK OF 1 KiB, TEXT
	printf '\123\357' | dd of=/dev/vda bs=1 seek=$(($1)) conv=notrunc 2>/dev/null
	refused 1 "$2" lakectl mkfs --dry-run /dev/vda || return 1
	refused 1 "$2" lakectl mkfs /dev/vda || return 1
	dd if=/dev/zero of=/dev/vda bs=1 seek=$(($1)) count=2 conv=notrunc 2>/dev/null
}
check 'mkfs sees the copy of a superblock' middle '8193 * 1024 + 0x38' 'ext4.*copy'
check 'and data at the places it looks at' middle '134217728 / 65 * 9 / 4096 * 4096' 'unknown kind at byte 18583552'
check 'says where it looked, and that nothing was there' \
	refused 0 'nothing was found there (looked at: its first and last MiB and 64 places between them)' \
	lakectl mkfs --dry-run /dev/vda
check 'mkfs of an empty device' lakectl mkfs /dev/vda
check 'it mounts' mount.lakefs /dev/vda $l
check 'mkfs refuses a mounted device' refused 11 'use\|mounted' lakectl mkfs --force /dev/vda
check 'and its directory' refused 11 'mounted' lakectl mkfs --force $l
check 'so does import' refused 11 'mounted' lakectl import /etc /dev/vda
check 'into its directory too' refused 11 'mounted' lakectl import /etc $l
check 'and verify --full' refused 11 'without --full' lakectl verify --full $l
check 'of the device too' refused 11 'without --full' lakectl verify --full /dev/vda
check 'logs are told' lakectl logs
check 'a second daemon is refused' refused 11 'another laked' \
	timeout 60 /usr/lib/deeplake/laked serve
echo old >$l/old

# fill: until ENOSPC; counts the whole files of 1 MiB
fill() {
	n=0
	while dd if=/dev/urandom of=$l/fill/$n bs=64k count=16 2>/tmp/dd.log; do
		n=$((n + 1))
		[ $n -lt 400 ] || return 1
	done
	grep -q 'No space' /tmp/dd.log || return 1
	sync
	echo $n >/tmp/filled
}

mkdir $l/fill
check 'a full device says ENOSPC' fill
first=$(cat /tmp/filled)
check 'and still holds what was written' sh -c "[ \$(cat $l/old) = old ] && cp $l/fill/0 /tmp/zero"
check 'deleting works on it' rm -rf $l/fill
sync
mkdir $l/fill
check 'what was deleted can be used again' fill
echo "files of 1 MiB: $first, then $(cat /tmp/filled)" >&2
check 'all of it' [ "$(cat /tmp/filled)" -ge $((first - 2)) ]
rm -rf $l/fill

# coreutils' cp: busybox's knows no reflink
cp=$(ls /tools/bin/cp /tools/usr/bin/cp 2>/dev/null | head -n 1)
reflink() {
	head -c 9000001 /dev/urandom >$l/one
	old=$(sum $l/one)
	$cp --reflink=always $l/one $l/two && cmp $l/one $l/two || return 1
	echo changed | dd of=$l/two bs=1 seek=5000000 conv=notrunc || return 1
	sync
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(sum $l/one)" = "$old" ] && [ "$(sum $l/two)" != "$old" ] &&
		lakectl stats --json $l | tee /tmp/stats | grep '"shared_blocks":2197,' ||
		{ cat /tmp/stats; return 1; }
}

check 'cp --reflink=always: both keep what is theirs' reflink
check 'fstrim' fstrim -v $l
echo 3 >/proc/sys/vm/drop_caches
check 'and what is in use is still there' [ "$(sum $l/one)" = "$old" ]
check 'the lake is sound while mounted' lakectl verify $l
number() { tr ',{' '\n\n' </tmp/stats | sed -n "s/^\"$1\":\([0-9]*\).*/\1/p"; }
adds_up() {
	dd if=/dev/urandom of=$l/leased bs=64k count=1 || return 1
	lakectl stats --json $l >/tmp/stats || return 1
	cat /tmp/stats
	[ "$(number leased_blocks)" -gt 0 ] &&
		[ $(($(number used_blocks) + $(number free_blocks) + $(number leased_blocks) + $(number quarantined_blocks))) = "$(number data_blocks)" ]
}
check 'used, leased, quarantined and free blocks are all' adds_up
# Prometheus' text format: comments, and lines of name, labels, number
metrics() {
	lakectl metrics >/tmp/metrics || return 1
	cat /tmp/metrics
	! grep -vE '^(# (HELP|TYPE) deeplake_[a-z_]+ .+|deeplake_[a-z_]+([{]device="[^"]+",uuid="[^"]*"[}])? [0-9.E+]+)$' \
		/tmp/metrics &&
		grep -q '^deeplake_lake_up{device="/dev/vda",.*} 1$' /tmp/metrics &&
		grep -q '^deeplake_lake_shared_blocks{.*} 2197$' /tmp/metrics &&
		grep -q '^# TYPE deeplake_lake_commits_total counter$' /tmp/metrics
}
check 'metrics are what Prometheus reads' metrics
check 'it unmounts' umount $l
check 'and after' lakectl verify --full /dev/vda
check 'it was unmounted cleanly' sh -c 'lakectl stats /dev/vda | grep -q "unmounted  *cleanly"'
check 'an unknown mount option is refused' \
	refused 32 "Unknown parameter 'bogus'" mount.lakefs /dev/vda $l -o bogus
check 'in lines without gaps' sh -c '! grep -qx "" /tmp/refused.log'
# an image that is mounted by way of a loop device, under its other name
modprobe -q loop
lakectl mkfs --size 128M /tmp/image >/tmp/check.log && ln /tmp/image /tmp/other &&
	losetup /dev/loop0 /tmp/image
check 'mkfs refuses an image behind a loop device' refused 11 'loop0' lakectl mkfs --force /tmp/image
check 'by any of its names' refused 11 'loop0' lakectl mkfs --force /tmp/other
losetup -d /dev/loop0
# a device that takes no writes
blockdev --setro /dev/vda
before=$(sum /dev/vda)
check 'a read-only device mounts read-only' mount.lakefs /dev/vda $l -o ro
check 'and shows its files' [ "$(cat $l/old)" = old ]
check 'it unmounts again' umount $l
check 'without a failure' sh -c '! dmesg | grep "lakefs (vda).*\(failed\|shut down\|without\)"'
check 'and is unchanged' [ "$(sum /dev/vda)" = "$before" ]
check 'mkfs says that it is read-only' refused 1 'read-only' lakectl mkfs --force /dev/vda
