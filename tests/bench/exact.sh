#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# exact.sh: the rows of lakebench on a lake and on other filesystems, in a
# guest whose time is a count of instructions; README.md has the rest.
#   ROWS="create stat"   rows whose names begin so (default: all)
#   PEERS="ext4 xfs"     whom to compare with
#   SMP=2                processors
#   NAME=exact           out/bench/NAME.json
#   CHECK=1              only show that two runs of the rows give the same figures
#   FRESH=1              measure peers again, though nothing of theirs changed
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
. "$here/../../qemu/lib/apt.sh"
. "$here/../../qemu/lib/busybox.sh"

read -ra rows <<<"${ROWS:-}"
read -ra peers <<<"${PEERS:-ext4 btrfs xfs tmpfs}"
smp=${SMP:-1} name=${NAME:-exact} kernel=${KERNEL:-6.12}
tools=e2fsprogs,btrfs-progs,xfsprogs,tar,findutils,grep,coreutils
cache=$LAKE_BUILD/bench/cache
scratch=$(mktemp -d "$LAKE_BUILD/bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# Kernel modules of the peers, unpacked, in loading order.
stage_modules() {
	local dir=$1 kernel_dir release module file
	kernel_dir=$("$LAKE_ROOT/qemu/kernel.sh" "$kernel")
	release=$(cat "$kernel_dir/release")
	mkdir -p "$dir"
	: >"$dir/list"
	for module in btrfs xfs; do
		module_files "$kernel_dir/root" "$release" "$module"
	done | awk '!seen[$0]++' | while read -r file; do
		case $file in */libcrc32c.ko*) continue ;; esac
		module=${file##*/}
		xz -dc "$file" >"$dir/${module%.xz}"
		printf '%s\n' "${module%.xz}" >>"$dir/list"
	done
}

# All that a peer's figures depend on.
peer_key() {
	{
		find "$scratch/b" "$LAKE_ROOT"/qemu/lib/{init,exact,machine,busybox}* \
			-type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum
		qemu-system-x86_64 --version
		digest_text "$1" "$smp" "$kernel" "$tools" "${rows[@]}"
	} | sha256sum | cut -c1-24
}

# measure FS FILE: one boot; its figures go to FILE.
measure() {
	step "$1"
	"$LAKE_ROOT/qemu/vm" run --exact --lake --kernel "$kernel" --smp "$smp" \
		--mem 3G --timeout "${TIMEOUT:-2400}" --tools "$tools" \
		--file "$scratch/b:/b" --env "BENCH_OPTIONS=${BENCH_OPTIONS:-}" \
		-- sh /b/exact-guest.sh "$1" "${rows[@]}" | tee "$2.new" |
		awk '$1 == "row" { printf "    %-18s%10.4f s\n", $2, $6 / 1e9 }' >&2 ||
		die "$1: the guest failed"
	mv "$2.new" "$2"
}

measure_peer() {
	local file
	file=$cache/$(peer_key "$1")
	[ -z "${FRESH:-}" ] || rm -f "$file"
	if [ -e "$file" ]; then
		say "$1: as measured before (FRESH=1 measures again)"
	else
		measure "$1" "$file"
	fi
	cp "$file" "$scratch/$1.lines"
}

# The same boot twice: not one figure may differ.
check_exact() {
	rows=("${rows[@]:-create}")
	measure lakefs "$scratch/first"
	measure lakefs "$scratch/second"
	diff "$scratch/first" "$scratch/second" >&2 ||
		die "two runs of the same differ"
	say "exact: two runs agree in all $(grep -c . "$scratch/first") lines of figures"
}

mkdir -p "$cache" "$LAKE_OUT/bench"
make -s -C "$here" OUT="$LAKE_BUILD/bench"
mkdir -p "$scratch/b"
cp "$LAKE_BUILD/bench/lakebench" "$here/exact-guest.sh" "$scratch/b/"
stage_modules "$scratch/b/modules"
[ -z "${CHECK:-}" ] || { check_exact; exit; }
lines=()
for peer in "${peers[@]}"; do
	measure_peer "$peer"
	lines+=("$scratch/$peer.lines")
done
measure lakefs "$scratch/lakefs.lines"
python3 "$here/report.py" "$LAKE_OUT/bench/$name.json" \
	"$scratch/lakefs.lines" "${lines[@]}"
