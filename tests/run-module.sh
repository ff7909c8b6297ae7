#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# lakefs.ko against fakelaked in the busybox guest. KERNEL=debug runs it under
# KASAN and lockdep.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin module
kernel=${KERNEL:-6.12}
tools=$LAKE_BUILD/tests/fake

build() {
	module=$("$LAKE_ROOT/qemu/parts.sh" module "$kernel") &&
		build_test kernel fake && build_test kernel/vfs fake &&
		build_test kernel/data fake
}

# guest SCRIPT: runs it beside the module and the tools
guest() {
	local status=0
	"$LAKE_VM" run --kernel "$kernel" --smp "${SMP:-2}" \
		--timeout "${TIMEOUT:-$(suite_seconds 600)}" \
		--file "$tools:/t" --file "$module:/t/lakefs.ko" \
		--file "$LAKE_TESTS/kernel/slow-device.sh:/t/slow-device.sh" \
		--file "$LAKE_TESTS/kernel/$1:/t/$1" -- \
		sh "/t/$1" >"$suite_dir/results" || status=$?
	suite_collect "$suite_dir/results" ''
	[ $status = 0 ] || fail "$1 ends with status $status"
}

if build >"$suite_dir/build.log" 2>&1; then
	for script in ${SCRIPTS:-guest.sh kill-guest.sh}; do
		guest "$script"
	done
else
	tail -n 30 "$suite_dir/build.log" >&2
	fail 'module and its tools build'
fi
suite_end
