#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Mounts and unmounts, loads and unloads of the module, by the hundred:
#   mounts.sh [N [KERNEL]]   500 of each; KERNEL debug: under KASAN, lockdep and
#                            kmemleak, all of which must be silent
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
n=${1:-500} kernel=${2:-6.12} mem=1G
[ "$kernel" != debug ] || mem=3G
mkdir -p "$LAKE_BUILD/soak"
work=$(mktemp -d "$LAKE_BUILD/soak/mounts.XXXXXX")
trap 'rm -rf "$work"' EXIT
with_lock tests-fake make -s -C "$LAKE_ROOT/tests/kernel" OUT="$LAKE_BUILD/tests/fake" >&2 || exit 2
status=0
"$LAKE_ROOT/qemu/vm" run --lake --kernel "$kernel" --smp "${SMP:-1}" --mem "$mem" \
	--timeout "${TIMEOUT:-7200}" \
	--disk "$work/lake,size=256M" --disk "$work/fake,size=256M" \
	--file "$LAKE_BUILD/tests/fake/fakelaked:/t/fakelaked" \
	--file "$here/mounts-guest.sh:/t/mounts-guest.sh" \
	-- sh /t/mounts-guest.sh "$n" "$n" | tee "$work/results" || status=$?
[ $status = 0 ] || {
	echo "fail mounts: the guest ends with status $status"
	exit 1
}
! grep -q '^fail ' "$work/results"
