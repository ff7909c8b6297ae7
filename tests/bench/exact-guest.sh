#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the exact guest: exact-guest.sh FILESYSTEM ROW...
# A new device, a new filesystem on it, and the rows. The device takes 80 us
# for a request and has a write cache, so that flushes cost; NULL_BLK: other options of it.
set -e
fs=$1
shift
# shellcheck disable=SC2086 # options are words
modprobe null_blk gb=4 memory_backed=1 irqmode=2 completion_nsec=80000 \
	cache_size=64 $NULL_BLK
while read -r module; do insmod "/b/modules/$module"; done </b/modules/list
mkdir -p /m /source
dev=/dev/nullb0
[ -z "$PROFILE" ] || export DOTNET_PerfMapEnabled=1

make_ext4() {
	mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 $dev
	mount -t ext4 $dev "$1"
}

sync=/m
case $fs in
lakefs)
	mkfs.lakefs $dev >/dev/null
	mount.lakefs $dev /m
	;;
ext4) make_ext4 /m ;;
btrfs)
	mkfs.btrfs -q $dev
	mount -t btrfs $dev /m
	;;
xfs)
	mkfs.xfs -q $dev
	mount -t xfs $dev /m
	;;
tmpfs) mount -t tmpfs -o size=2500m tmpfs /m ;;
fuse)
	make_ext4 /source
	/b/passthrough /source /m
	sync=/source
	;;
*) echo "unknown filesystem $fs" >&2; exit 1 ;;
esac
round=0
while [ $round -lt "${ROUNDS:-1}" ]; do
	[ $round = 0 ] || rm -rf /m/*
	/b/lakebench -d nullb0 -s $sync -n "${DIVIDE:-1}" -t /m "$@"
	round=$((round + 1))
done
if [ -n "$PROFILE" ]; then
	cat /proc/kallsyms >/mnt/out/kallsyms
	for pid in $(pidof laked passthrough); do
		cat "/proc/$pid/maps" >"/mnt/out/maps.$pid"
	done
	cp /tmp/perf-*.map /mnt/out/ 2>/dev/null || true
fi
umount /m
