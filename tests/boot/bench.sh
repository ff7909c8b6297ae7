#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# How long Debian takes from start to power-off on a lake, as a ratio to the
# same image on ext4 in the same run. Alternates the two, takes the smallest.
#   bench.sh [ROUNDS]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
rounds=${1:-2}
declare -A wall=() guest=()

# one_boot ROOT: keeps the smallest of wall time and the guest's own time to
# a complete boot, in milliseconds.
one_boot() {
	local root=$1 begin=$EPOCHREALTIME ms text
	text=$("$LAKE_ROOT/qemu/vm" run --root "$root" --smp 2 --timeout 900 -- sh -c '
		systemctl is-system-running --wait >/dev/null
		busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 \
			org.freedesktop.systemd1.Manager FinishTimestampMonotonic') ||
		die "the $root guest did not start and stop"
	ms=$(awk -v b="$begin" -v e="$EPOCHREALTIME" 'BEGIN { print int((e - b) * 1000) }')
	text=$(printf '%s\n' "$text" | sed -n 's/^t \([0-9]*\)$/\1/p')
	[ -n "$text" ] || die "the $root guest did not say how long it took"
	text=$((text / 1000))
	[ "${wall[$root]:-999999999}" -le $ms ] || wall[$root]=$ms
	[ "${guest[$root]:-999999999}" -le $text ] || guest[$root]=$text
}

# line NAME LAKE EXT4
line() {
	awk -v n="$1" -v l="$2" -v e="$3" 'BEGIN {
		printf "%-28s lake %7.2f s  ext4 %7.2f s  ratio %.2f\n", n, l / 1000, e / 1000, l / e }'
}

"$LAKE_ROOT/qemu/image/debian.sh" lake
for ((round = 0; round < rounds; round++)); do
	one_boot ext4
	one_boot lake
done
line 'boot to running' "${guest[lake]}" "${guest[ext4]}"
line 'start to power-off' "${wall[lake]}" "${wall[ext4]}"
