#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the exact guest: exact-guest.sh FILESYSTEM ROW...
# A new device, a new filesystem on it, and the rows. The device takes 80 us
# for a request and has a write cache, so that flushes cost.
set -e
fs=$1
shift
modprobe null_blk gb=4 memory_backed=1 irqmode=2 completion_nsec=80000 \
	cache_size=64
while read -r module; do insmod "/b/modules/$module"; done </b/modules/list
mkdir -p /m
dev=/dev/nullb0
case $fs in
lakefs)
	mkfs.lakefs $dev >/dev/null
	mount.lakefs $dev /m
	;;
ext4)
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 $dev
	mount -t ext4 $dev /m
	;;
btrfs)
	mkfs.btrfs -q $dev
	mount -t btrfs $dev /m
	;;
xfs)
	mkfs.xfs -q $dev
	mount -t xfs $dev /m
	;;
tmpfs) mount -t tmpfs -o size=3g tmpfs /m ;;
*) echo "unknown filesystem $fs" >&2; exit 1 ;;
esac
# shellcheck disable=SC2086 # options are words
/b/lakebench -d nullb0 -t $BENCH_OPTIONS /m "$@"
umount /m
