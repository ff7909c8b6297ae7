#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The launcher's promises, in the busybox guest, with a script in laked's
# place.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin launcher

if make -s -C "$LAKE_ROOT/daemon/launcher" OUT="$LAKE_BUILD/launcher" >&2; then
	status=0
	"$LAKE_VM" run --timeout 240 --file "$LAKE_BUILD/launcher:/t" \
		--file "$LAKE_TESTS/boot/launcher-guest.sh:/t/guest.sh" -- \
		sh /t/guest.sh >"$suite_dir/results" || status=$?
	suite_collect "$suite_dir/results" ''
	[ $status = 0 ] || fail "the guest ends with status $status"
else
	fail 'the launcher builds'
fi
suite_end
