#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Wrong inputs, a full device, reflink and trim as programs use them, with the real daemon in the busybox guest.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin lake
truncate -s 32M "$suite_dir/ext4"
mkfs.ext4 -q -F "$suite_dir/ext4"
status=0
"$LAKE_VM" run --lake --tools coreutils --smp 2 --mem 1G --timeout 600 \
	--disk "$suite_dir/lake,size=128M" --disk "$suite_dir/ext4" \
	--file "$LAKE_TESTS/lake/guest.sh:/guest.sh" -- sh /guest.sh \
	>"$suite_dir/results" || status=$?
suite_collect "$suite_dir/results" ''
[ $status = 0 ] || fail "the guest ends with status $status"
suite_end
