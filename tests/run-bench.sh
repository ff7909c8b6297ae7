#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Every benchmark: boot time, then operations. Each prints ratios to ext4.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
status=0
for script in "$LAKE_TESTS/boot/bench.sh" "$LAKE_TESTS/bench/run.sh"; do
	step "${script#"$LAKE_ROOT/"}"
	bash "$script" </dev/null || {
		say "${script#"$LAKE_ROOT/"} failed"
		status=1
	}
done
exit $status
