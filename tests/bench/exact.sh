#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# exact.sh: the rows of lakebench on a lake and on other filesystems, in a
# guest whose time is a count of instructions; README.md has the rest.
#   ROWS="create stat"   rows whose names begin so (default: all)
#   PEERS="ext4 xfs"     whom to compare with
#   DIVIDE=10            a tenth of the operations, for a quick look
#   SMP=2                processors
#   NULL_BLK=mbps=8      other options of the device: slower than 8 MiB/s
#   JOBS=2               guests at a time: they do not disturb each other's time
#   NAME=exact           out/bench/NAME.json
#   CHECK=1              only show that two runs of the rows give the same figures
#   ONLY_PEERS=1         fills the cache of figures of peers and ends
#   FRESH=1              measure peers again, though nothing of theirs changed
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

# A boot for each group, so that a row does not depend on too many others.
groups=('create stat rename unlink mkdir rmdir' readdir 'fsync write read-'
	'untar find grep rm-rf' compile)
[ -z "${ROWS:-}" ] || groups=("$ROWS")
read -ra peers <<<"${PEERS:-ext4 btrfs xfs tmpfs fuse}"
cache=$LAKE_BUILD/bench/cache

# peer_key PEER GROUP: all that a peer's figures depend on.
peer_key() {
	{
		find "$scratch/b" "$LAKE_BUILD/bench/share/compile" \
			"$LAKE_BUILD/bench/tree.stamp" \
			"$LAKE_ROOT"/qemu/lib/{init,exact,machine,busybox}* \
			-type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum
		qemu-system-x86_64 --version
		digest_text "$1" "$2" "$smp" "$kernel" "$bench_tools" \
			"${DIVIDE:-1}" ${NULL_BLK:+"$NULL_BLK"}
	} | sha256sum | cut -c1-24
}

# measure_peer PEER FILE GROUP
measure_peer() {
	local kept
	kept=$cache/$(peer_key "$1" "$3")
	[ -z "${FRESH:-}" ] || rm -f "$kept"
	if [ -e "$kept" ]; then
		say "$1, $3: as measured before (FRESH=1 measures again)"
	else
		bench_guest "$1" "$kept" "$3"
	fi
	cp "$kept" "$2"
}

# measure FS: every group; the figures are in $scratch/FS.lines.
measure() {
	local group
	for group in "${groups[@]}"; do
		if [ "$1" = lakefs ]; then
			bench_guest "$1" "$scratch/$1.group" "$group"
		else
			measure_peer "$1" "$scratch/$1.group" "$group"
		fi
		cat "$scratch/$1.group" >>"$scratch/$1.lines"
	done
}

# The same boot twice: not one figure may differ.
check_exact() {
	bench_guest lakefs "$scratch/first" "${ROWS:-create}"
	bench_guest lakefs "$scratch/second" "${ROWS:-create}"
	diff "$scratch/first" "$scratch/second" >&2 ||
		die "two runs of the same differ"
	say "exact: two runs agree in all $(grep -c . "$scratch/first") lines of figures"
}

mkdir -p "$cache" "$LAKE_OUT/bench"
bench_scratch
trap 'for job in $(jobs -p); do kill -- "-$job" 2>/dev/null || :; done; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
bench_stage
[ -z "${CHECK:-}" ] || { check_exact; exit; }
# The lake first, as its figures are never kept.
lines=() all=()
[ -n "${ONLY_PEERS:-}" ] || all=(lakefs)
all+=("${peers[@]}")
for fs in "${all[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-2}" ]; do wait -n; done
	set -m			# a process group of its own, to end all of it
	measure "$fs" &
	set +m
	[ "$fs" = lakefs ] || lines+=("$scratch/$fs.lines")
done
while [ -n "$(jobs -p)" ]; do wait -n; done
[ -z "${ONLY_PEERS:-}" ] || exit 0
python3 "$here/report.py" seconds "$LAKE_OUT/bench/${NAME:-exact}.json" \
	"$scratch/lakefs.lines" "${lines[@]}"
