#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# qemu/run.sh KERNEL DISK SMP MEM: what `make run` does. The disk is kept
# between runs, with what was written to it; FRESH=1 starts with a new one.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/disk.sh"
. "$here/lib/numbers.sh"
kernel=$1 disk=$2 smp=$3 mem=$4

mkdir -p "$(dirname -- "$disk")"
smp_check 'make run: SMP' "$smp"
mem_check 'make run: MEM' "$mem" lake
# Before all else: another guest would lose the disk it runs on.
disk_check 'make run' "$disk"
case ${FRESH:-} in
'' | 0 | no) fresh='' ;;
*) fresh=1 ;;
esac
[ -n "$fresh" ] || disk_check_lake 'make run' "$disk" 'FRESH=1 makes a new lake in its place'
"$here/setup.sh" "$kernel"
[ -z "$fresh" ] || rm -f -- "$disk"
exec "$here/vm" shell --root lake --root-disk "$disk" --smp "$smp" --mem "$mem" --net
