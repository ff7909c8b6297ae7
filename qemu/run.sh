#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# qemu/run.sh KERNEL DISK SMP MEM: what `make run` does. The disk is kept
# between runs, with what was written to it; FRESH=1 starts with a new one.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/disk.sh"
kernel=$1 disk=$2 smp=$3 mem=$4

mkdir -p "$(dirname -- "$disk")"
# Before all else: another guest would lose the disk it runs on.
disk_check 'make run' "$disk"
"$here/setup.sh" "$kernel"
case ${FRESH:-} in '' | 0 | no) ;; *) rm -f -- "$disk" ;; esac
exec "$here/vm" shell --root lake --root-disk "$disk" --smp "$smp" --mem "$mem" --net
