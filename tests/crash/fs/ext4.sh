# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
# What the power-failure instrument must know about ext4. Sourced by the host
# script (bash) and by the guest scripts (busybox sh).

FS_TYPE=ext4
FS_MIB=64
FS_VM_OPTIONS=''		# for recording and replay
FS_RECORD_OPTIONS=''		# for recording alone
FS_REPLAY_OPTIONS='--tools e2fsprogs'
# Its superblock of 1024 bytes with one checksum is written outside the
# journal: ext4 relies on these two sectors not being torn apart.
FS_REPLAY_ARGS='--torn-unit 1024'
FS_MEMORY=1G
FS_MOUNT_HOOK=''		# empty: mount(2) and umount(2)
FS_UMOUNT_HOOK=''
# After a mount and a clean unmount nothing may be left to repair.
# shellcheck disable=SC2016 # DEV is set where the hook runs
FS_FSCK_HOOK='e2fsck -fn "$DEV"'

# Host: a filesystem in the file $1, which has its size.
fs_make() { PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F "$1"; }

# Host: checks the filesystem in the file $1.
fs_verify() { PATH=$PATH:/sbin:/usr/sbin e2fsck -fn "$1" >/dev/null 2>&1; }

# Guest, once before anything is mounted; $1 is record or replay.
fs_prepare() { :; }

# Guest: the recorded mount of device $1 on folder $2. Quick commits put more
# transactions into one recording.
fs_mount() { mount -t ext4 -o commit=1 "$1" "$2"; }

# Guest: what happens beside the workload while it is recorded.
fs_disturb() { :; }

# Guest: whether the recording that has just ended has what it is for.
fs_recorded() { :; }
