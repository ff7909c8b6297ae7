# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
# The control: ext4 told not to flush must lose data, or the instrument is
# blind.
. "$CRASH_FS_DIR/ext4.sh"

FS_CONTROL=1

fs_mount() { mount -t ext4 -o commit=1,barrier=0 "$1" "$2"; }
