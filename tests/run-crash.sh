#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Power failures and daemon kills: tests/crash/README.md. The states replayed
# for lakefs are 200 in all: of a quiet recording, of one in which files are
# sealed, shared and packed meanwhile, and of one in which the daemon was killed. SEED=N takes other ones.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin crash
seed=${SEED:-1}

# replay OPTIONS...: run.sh writes one line a state into the results itself.
replay() {
	local status=0
	say "crash: $*"
	"$LAKE_TESTS/crash/run.sh" --seed "$seed" "$@" || status=$?
	[ $status -lt 2 ] || fail "crash/run $*" "could not be run"
}

"$LAKE_TESTS/crash/selftest.sh" >"$suite_dir/selftest" || :
suite_collect "$suite_dir/selftest" ''
# The instrument itself, where the answer is known.
replay --fs ext4 --states 40 --ops 200
replay --fs ext4-nobarrier --states 40 --ops 200
replay --fs lakefs --states 60
replay --fs lakefs --ingest --states 60 --ops 800
replay --fs lakefs --states 80 --kill-daemon
replay --fs lakefs --states 40 --control
# Two guests with one processor each: 25 kills and their share of the ways.
kill_loops() {
	local jobs=() s bad=0 job
	for s in "$seed" $((seed + 1000)); do
		"$LAKE_TESTS/crash/killloop.sh" --seed "$s" --kills 25 &
		jobs+=($!)
	done
	for job in "${jobs[@]}"; do wait "$job" || bad=1; done
	return $bad
}
check "crash/daemon killed 50 times under load" kill_loops
suite_end
