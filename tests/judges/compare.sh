#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# What the runs of xfstests so far say (out/judges, see lists.sh): which tests
# pass on ext4 and not on a lake, and the counts. compare.sh --update also adds
# what passed to the lists.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
kernel=${KERNEL:-6.12}
results() { # FS WORD...
	local file=$LAKE_OUT/judges/xfstests-$1-$kernel.txt
	shift
	[ ! -f "$file" ] || grep -E "^($(IFS='|'; echo "$*")) " "$file" |
		cut -d' ' -f2 | LC_ALL=C sort || :
}

count() { printf '%4d %s\n' "$(wc -l)" "$1"; }

for fs in ext4 lakefs; do
	for word in pass fail skip slow; do
		results $fs $word | count "$word on $fs"
	done
done
comm -12 <(results ext4 pass) <(results lakefs pass) | count 'pass on both'
comm -12 <(results ext4 pass) <(results lakefs fail) |
	sed 's/^/passes on ext4, fails on lakefs: /'
comm -12 <(results ext4 pass) <(results lakefs skip) | tr '\n' ' ' |
	sed 's/^/pass on ext4, skipped on lakefs: /; s/$/\n/'

# add LIST: numbers from standard input to a list, whose comments stay.
add() {
	local list=$here/xfstests.$1 new
	new=$(mktemp)
	{
		grep '^#' "$list"
		{ cat; grep -E '^[0-9]{3}' "$list"; } | LC_ALL=C sort -u -k1,1
	} >"$new" || :
	cat "$new" >"$list"
	rm -f "$new"
}
if [ "${1:-}" = --update ]; then
	results ext4 pass | add ext4
	comm -13 <(results ext4 pass) <(results lakefs pass) | add lake
fi
