#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# The surface and data tests, both at once, while the daemon is killed about
# every two seconds: no program may notice. In the busybox guest, with
# lakefs.ko, fakelaked, vfstest, datatest and slow-device.sh beside this script.
here=$(dirname "$0")
PATH=$here:$PATH
dev=/dev/loop0
lake=/mnt/lake
modprobe -q libcrc32c
modprobe -q zstd_decompress
modprobe -q loop
. "$here/slow-device.sh"
insmod "$here/lakefs.ko" || exit 1
mkdir -p $lake
fakelaked mkfs /tmp/lake.img 536870912 && losetup $dev /tmp/lake.img
fakelaked run --log /tmp/log --pid /tmp/pid 2>/dev/null &
daemon=$!
mount -t lakefs $dev $lake || exit 1
mkdir $lake/vfs $lake/data

result() { # STATUS NAME
	if [ "$1" = 0 ]; then echo "pass $2"; else echo "fail $2"; fi
}

(
	while :; do
		until grep -qx running /sys/fs/lakefs/loop0/state; do
			usleep 100000
		done
		usleep $((600000 + RANDOM * 80))
		kill -9 "$(cat /tmp/pid)"
	done
) 2>/dev/null &
killer=$!
vfstest $lake/vfs >/tmp/vfs.out 2>&1 & vfs=$!
DATATEST_OPS=1000 datatest $lake/data >/tmp/data.out 2>&1 & data=$!
wait $vfs
result $? 'kills: the surface tests notice nothing'
grep '^fail' /tmp/vfs.out >&2	# the others may never end
wait $data
result $? 'kills: the data tests notice nothing'
kill $killer
grep '^fail' /tmp/data.out >&2
kills=$(cat /sys/fs/lakefs/loop0/generation)
[ "$kills" -gt 5 ]
result $? 'kills: there were some'
echo "daemons: $kills" >&2
rm -rf $lake/*
sync
[ "$(cat /sys/fs/lakefs/loop0/records)" = 0 ]
result $? 'kills: sync leaves no record'
umount $lake && mount -t lakefs $dev $lake &&
	[ "$(ls $lake | wc -l)" = 0 ] &&
	[ "$(df $lake | awk 'NR == 2 { print $3 }')" = 0 ]
result $? 'kills: every block is free again'
umount $lake
result $? 'kills: it unmounts'
kill $daemon
