#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the guest: the self-checking load on the disk /dev/vda while the daemon
# is killed; then everything once more after a new mount.
# Usage: killloop.sh FS SEED STREAMS KILLS SECONDS MAX_MS
set -eu
export CRASH_FS_DIR=/crash/fs
. "/crash/fs/$1.sh"
seed=$2 streams=$3 kills=$4 seconds=$5 max_ms=$6
dir=/mnt/crash

mkdir -p $dir
# Writeback must be in flight when the daemon dies.
echo 50 >/proc/sys/vm/dirty_expire_centisecs
echo 20 >/proc/sys/vm/dirty_writeback_centisecs
fs_prepare load
fs_mount /dev/vda $dir
lakecrash load --dir $dir --seed "$seed" --streams "$streams" \
	--seconds "$seconds" --stop /tmp/stop --result /tmp/acks &
load=$!
killed=0
if [ "$kills" -gt 0 ]; then
	lakecrash kill --name laked --seed "$seed" --count "$kills" \
		--max-ms "$max_ms" --probe $dir --sysfs /sys/fs/lakefs/vda \
		--standby /usr/lib/deeplake/laked || killed=$?
	: >/tmp/stop
fi
status=0
wait $load || status=$?
[ $killed = 0 ] || { echo "the killer failed"; exit 1; }
[ $status = 0 ] || { echo "a program saw an error or wrong data"; exit 1; }
umount $dir
fs_mount /dev/vda $dir
lakecrash check --dir $dir --seed "$seed" --streams "$streams" \
	--acks /tmp/acks --synced
umount $dir
echo "all data is there"
