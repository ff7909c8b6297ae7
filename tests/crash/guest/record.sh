#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the guest: runs the workload on the recorded disk.
# Usage: record.sh FS SEED STREAMS OPS
set -eu
export CRASH_FS_DIR=/crash/fs
. "/crash/fs/$1.sh"
seed=$2 streams=$3 ops=$4

mkdir -p /mnt/crash
# Writeback must happen while the workload runs, not only when it syncs.
echo 30 >/proc/sys/vm/dirty_expire_centisecs
echo 20 >/proc/sys/vm/dirty_writeback_centisecs
fs_prepare record
fs_mount /dev/vda1 /mnt/crash
fs_disturb &
disturber=$!
status=0
# what is done to quiet files takes time
lakecrash workload --dir /mnt/crash --acks /dev/vda2 --seed "$seed" \
	--streams "$streams" --ops "$ops" ${CRASH_INGEST:+--pause-ms 60} || status=$?
kill $disturber 2>/dev/null || :
fs_recorded /mnt/crash || status=1
exit $status
