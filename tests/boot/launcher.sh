#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The launcher's promises, in the busybox guest. Results go to
# out/results/launcher.txt as "pass NAME" and "fail NAME" lines.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"

results=$LAKE_OUT/results/launcher.txt
mkdir -p "${results%/*}"
rm -f "$results"
make -s -C "$LAKE_ROOT/daemon/launcher" OUT="$LAKE_BUILD/launcher" >&2
status=0
"$LAKE_ROOT/qemu/vm" run --timeout 240 --file "$LAKE_BUILD/launcher:/t" \
	--file "$here/launcher-guest.sh:/t/guest.sh" -- \
	sh /t/guest.sh >"$results.new" || status=$?
[ $status = 0 ] || echo "fail launcher_guest_status_$status" >>"$results.new"
grep -q . "$results.new" || echo "fail launcher_no_result" >>"$results.new"
mv "$results.new" "$results"
cat "$results"
! grep -q '^fail ' "$results"
