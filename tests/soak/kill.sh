#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Kills of the daemon under load by the hundred: many runs of the kill loop
# (tests/crash/killloop.sh), each with a lake and a seed of its own.
#   kill.sh [KILLS [JOBS [SEED]]]   1000 kills, 2 guests at a time, seeds from 1
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
kills=${1:-1000} jobs=${2:-2} seed=${3:-1}
per_guest=125 done_kills=0 guests=0 failed=0

# one N SEED: a guest; its log is kept when it fails.
one() {
	local log=$LAKE_OUT/soak/kill-$2.log
	if "$LAKE_TESTS/crash/killloop.sh" --kills "$1" --seed "$2" \
		--seconds 100000 --timeout $((600 + $1 * 30)) >"$log" 2>&1; then
		say "seed $2: $(sed -n 's/^kills: //p' "$log")"
		rm -f "$log"
	else
		tail -n 12 "$log" >&2
		say "seed $2 failed: $log"
		return 1
	fi
}

LAKE_TESTS=$LAKE_ROOT/tests
mkdir -p "$LAKE_OUT/soak"
"$LAKE_TESTS/crash/build.sh" || exit 2
running=0
while [ $done_kills -lt "$kills" ] || [ $running -gt 0 ]; do
	if [ $done_kills -lt "$kills" ] && [ $running -lt "$jobs" ]; then
		n=$((kills - done_kills))
		[ $n -le $per_guest ] || n=$per_guest
		one $n $((seed + guests)) &
		done_kills=$((done_kills + n)) guests=$((guests + 1))
		running=$((running + 1))
		continue
	fi
	wait -n || failed=$((failed + 1))
	running=$((running - 1))
done
if [ $failed = 0 ]; then
	say "soak/kill: $kills kills in $guests guests, nothing lost"
else
	say "soak/kill: $failed of $guests guests failed"
	exit 1
fi
