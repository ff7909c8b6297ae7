#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Every benchmark: boot time, then file operations; tests/bench/README.md. With
# ROWS or PEERS in the environment, only the file operations.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
status=0

bench() {
	step "$1"
	bash "$LAKE_ROOT/$1" </dev/null || {
		say "$1 failed"
		status=1
	}
}

[ -n "${ROWS:-}${PEERS:-}" ] || bench tests/boot/bench.sh
bench tests/bench/exact.sh
[ -n "${ROWS:-}${PEERS:-}" ] || bench tests/bench/two-cpus.sh
exit $status
