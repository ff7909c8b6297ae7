#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# two-cpus.sh: how long a program waits when the daemon has a processor of its
# own, as a ratio to ext4. The processors run side by side here, so this is the
# one table that the host's load disturbs: smallest of ROUNDS (3).
#   ROWS="create unlink"   PEERS=ext4   DIVIDE=1
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
export ROUNDS=${ROUNDS:-3}
bench_machine='' smp=2
read -ra peers <<<"${PEERS:-ext4}"
mkdir -p "$LAKE_OUT/bench"
bench_scratch
bench_stage
lines=()
for fs in lakefs "${peers[@]}"; do
	bench_guest "$fs" "$scratch/$fs.lines" "${ROWS:-create unlink}"
	[ "$fs" = lakefs ] || lines+=("$scratch/$fs.lines")
done
python3 "$here/report.py" program_seconds "$LAKE_OUT/bench/two-cpus.json" \
	"$scratch/lakefs.lines" "${lines[@]}"
