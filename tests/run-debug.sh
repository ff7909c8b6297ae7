#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# What `make debug-test` runs on the debug kernel beside the suites that know
# KERNEL=debug: allocations that fail, kills of the daemon, mounts and loads of
# the module. No part of `make test`. KILLS=10 N=30 SEED=1; ONLY="nomem" (nomem,
# kills, mounts) a part, NAMES="nomem_mount" some tests of nomem.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin debug

wanted() {
	case " ${ONLY:-nomem kills mounts} " in *" $1 "*) ;; *) return 1 ;; esac
}

nomem() {
	local status=0
	build_test kernel/nomem nomem || { fail 'nomem builds'; return; }
	"$LAKE_VM" run --lake --kernel debug --mem 2G \
		--timeout "${TIMEOUT:-3600}" --env NAMES="${NAMES:-}" \
		--disk "$suite_dir/nomem,size=256M" \
		--disk "$suite_dir/second,size=128M" \
		--file "$LAKE_BUILD/tests/nomem/nomem:/t/nomem" \
		--file "$LAKE_TESTS/kernel/nomem-guest.sh:/t/nomem-guest.sh" -- \
		sh /t/nomem-guest.sh >"$suite_dir/nomem.results" || status=$?
	suite_collect "$suite_dir/nomem.results" ''
	[ $status = 0 ] || fail "nomem: the guest ends with status $status"
}

mounts() {
	"$LAKE_TESTS/soak/mounts.sh" "${N:-30}" debug >"$suite_dir/mounts"
}

! wanted nomem || nomem
! wanted kills || check "the daemon killed ${KILLS:-10} times under load" \
	"$LAKE_TESTS/crash/killloop.sh" --kernel debug --kills "${KILLS:-10}" \
	--seed "${SEED:-1}" --timeout 3600
if wanted mounts; then
	check "${N:-30} mounts, ${N:-30} loads of the module" mounts
	suite_collect "$suite_dir/mounts" 'mounts: '
fi
suite_end
