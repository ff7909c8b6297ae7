#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The lake under load, and with bits that change beneath: lake-guest.sh.
#   lake.sh races [SECONDS [SEED]]   600
#   lake.sh flips [COUNT [SEED]]     1000
#   lake.sh full [ROUNDS [SEED]]     10
#   lake.sh written [MIB [SEED]]     1024; IMAGE=FILE: on the lake that it holds,
#                                    of which nothing is changed
# Prints `pass NAME` / `fail NAME`; exit status 1 when one failed.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
what=${1:-} seed=${3:-1}
case $what in
races) count=${2:-600} limit=$((count + 900)) ;;
flips) count=${2:-1000} limit=$((count * 4 + 900)) ;;
full) count=${2:-10} limit=$((count * 400 + 900)) ;;
written) count=${2:-1024} limit=3600 ;;
*) die "usage: lake.sh races|flips|full|written [COUNT [SEED]]" ;;
esac
mkdir -p "$LAKE_BUILD/soak"
work=$(mktemp -d "$LAKE_BUILD/soak/lake.XXXXXX")
trap 'rm -rf "$work"' EXIT
files=()
if [ -e "$here/$what.c" ]; then
	gcc -O2 -Wall -Wextra -Werror -static -pthread -o "$work/$what" "$here/$what.c" || exit 2
	files=(--file "$work/$what:/$what")
fi
size=512M
[ "$what" != written ] || size=$((count * 2))M
[ -z "${IMAGE:-}" ] || cp --sparse=always "$IMAGE" "$work/lake" || exit 2
status=0
"$LAKE_ROOT/qemu/vm" run --lake --kernel "${KERNEL:-6.12}" --smp 2 --mem "${MEM:-1G}" \
	--timeout "$limit" --disk "$work/lake,size=$size" "${files[@]}" \
	--file "$LAKE_ROOT/tests/lake/lib.sh:/lib.sh" --file "$here/lake-guest.sh:/guest.sh" -- \
	sh /guest.sh "$what" "$count" "$seed" | tee "$work/results" || status=$?
[ $status = 0 ] || { echo "fail $what: the guest ends with status $status"; exit 1; }
! grep -q '^fail ' "$work/results"
