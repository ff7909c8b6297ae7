#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# lakefs.ko against fakelaked in the busybox guest. KERNEL=debug runs it under
# KASAN and lockdep.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin module
kernel=${KERNEL:-6.12}

dir=$("$LAKE_ROOT/qemu/kernel.sh" "$kernel") &&
	make -s -C "$LAKE_ROOT/kernel" KDIR="$dir/build" \
		OUT="$LAKE_BUILD/kernel/$kernel" CC="$(cat "$dir/cc")" >&2 &&
	make -s -C "$LAKE_TESTS/kernel" OUT="$LAKE_BUILD/tests/fake" >&2 || {
	fail 'module and fakelaked build'
	exit 1
}
status=0
"$LAKE_VM" run --kernel "$kernel" --timeout "${TIMEOUT:-600}" --smp 2 \
	--file "$LAKE_BUILD/tests/fake:/t" \
	--file "$LAKE_BUILD/kernel/$kernel/kernel/lakefs.ko:/t/lakefs.ko" \
	--file "$LAKE_TESTS/kernel/guest.sh:/t/guest.sh" -- \
	sh /t/guest.sh >"$suite_dir/results" || status=$?
suite_collect "$suite_dir/results" ''
[ $status = 0 ] || fail "the guest ends with status $status"
suite_end
