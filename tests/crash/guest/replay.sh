#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the guest: replays the recording /dev/vdb over the image /dev/vda.
# Usage: replay.sh FS ARG... (arguments of lakecrash replay)
set -eu
export CRASH_FS_DIR=/crash/fs
. "/crash/fs/$1.sh"
shift

mkdir -p /mnt/crash
# One RAM disk holds what is durable, the other what a state changes.
modprobe brd rd_nr=2 rd_size=$((FS_MIB * 1024)) max_part=1
modprobe dm_snapshot
fs_prepare replay
[ -z "$FS_MOUNT_HOOK" ] || set -- "$@" --mount "$FS_MOUNT_HOOK"
[ -z "$FS_UMOUNT_HOOK" ] || set -- "$@" --umount "$FS_UMOUNT_HOOK"
[ -z "$FS_FSCK_HOOK" ] || set -- "$@" --fsck "$FS_FSCK_HOOK"
# shellcheck disable=SC2086 # a list of words
exec lakecrash replay --log /dev/vdb --image /dev/vda --fs "$FS_TYPE" \
	--dir /mnt/crash $FS_REPLAY_ARGS "$@"
