#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# What `make debug-test` runs on the debug kernel beside the suites that know
# KERNEL=debug: kills of the daemon, mounts and loads of the module. No part of
# `make test`. KILLS=10 N=30 SEED=1.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin debug

mounts() {
	"$LAKE_TESTS/soak/mounts.sh" "${N:-30}" debug >"$suite_dir/mounts"
}

check "the daemon killed ${KILLS:-10} times under load" \
	"$LAKE_TESTS/crash/killloop.sh" --kernel debug --kills "${KILLS:-10}" \
	--seed "${SEED:-1}" --timeout 3600
check "${N:-30} mounts, ${N:-30} loads of the module" mounts
suite_collect "$suite_dir/mounts" 'mounts: '
suite_end
