#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# lakefs.ko with daemons that lie, in the busybox guest. KERNEL=debug runs it
# under KASAN and lockdep; SEEDS liars, SECONDS_EACH for each.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin garble
kernel=${KERNEL:-6.12}

ko=$("$LAKE_ROOT/qemu/parts.sh" module "$kernel") &&
	make -s -C "$LAKE_TESTS/kernel" OUT="$LAKE_BUILD/tests/fake" >&2 &&
	make -s -C "$LAKE_TESTS/kernel/vfs" OUT="$LAKE_BUILD/tests/vfs" >&2 || {
	fail 'module, fakelaked and vfstest build'
	exit 1
}
status=0
"$LAKE_VM" run --kernel "$kernel" --timeout "${TIMEOUT:-600}" --smp 2 \
	--file "$LAKE_BUILD/tests/fake/fakelaked:/t/fakelaked" \
	--file "$LAKE_BUILD/tests/vfs/vfstest:/t/vfstest" \
	--file "$ko:/t/lakefs.ko" \
	--file "$LAKE_TESTS/kernel/garble-guest.sh:/t/guest.sh" \
	--env SEEDS="${SEEDS:-4}" --env SECONDS_EACH="${SECONDS_EACH:-10}" -- \
	sh /t/guest.sh >"$suite_dir/results" || status=$?
suite_collect "$suite_dir/results" ''
[ $status = 0 ] || fail "the guest ends with status $status"
suite_end
