#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The DKMS package builds the module in a Debian guest with Debian's own kernel.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib/suite.sh"
suite_begin dkms
guest=$("$here/image.sh") && parts=$("$LAKE_ROOT/qemu/parts.sh" tree) &&
	deb=$("$LAKE_ROOT/kernel/dkms/build.sh" "$LAKE_BUILD/dkms") || {
	fail 'the guest, the daemon and the package are made'
	suite_end
	exit 1
}
status=0
"$LAKE_VM" run --root "$guest" --smp 2 --mem 2G --timeout 1500 \
	--share "$parts" --file "$deb:/t/lakefs-dkms.deb" \
	--file "$here/guest.sh:/t/guest.sh" -- sh /t/guest.sh \
	>"$suite_dir/guest.results" || status=$?
suite_collect "$suite_dir/guest.results" ''
[ $status = 0 ] || fail "the guest ends with status $status"
suite_end
