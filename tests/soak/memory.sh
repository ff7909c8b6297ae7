#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# A guest of 512 MiB whose memory a hog takes, with the daemon stopped and dead
# for 30 s each; then untar and compile under the same pressure.
#   memory.sh [short|long]   short: without untar and compile (about a minute
#                            and a half); prints `pass NAME` / `fail NAME`
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
form=${1:-long} kernel=${KERNEL:-6.12} slow=1 mem=${MEM:-512M}
# what the debug kernel takes for itself
[ "$kernel" != debug ] || slow=6 mem=${MEM:-1G}
mkdir -p "$LAKE_BUILD/soak"
work=$(mktemp -d "$LAKE_BUILD/soak/memory.XXXXXX")
trap 'rm -rf "$work"' EXIT

stage() {
	mkdir -p "$work/t/src"
	"$LAKE_ROOT/tests/crash/build.sh" &&
		cp "$LAKE_BUILD/crash/lakecrash" "$work/t/" &&
		gcc -O2 -Wall -Wextra -Werror -static -o "$work/t/hog" \
			"$here/hog.c" &&
		cp "$here/memory-guest.sh" "$work/t/"
}

# The tree of the benchmarks, with the sums of its files.
stage_tree() {
	cp "$LAKE_ROOT"/tests/crash/src/*.[ch] "$work/t/src/"
	python3 "$LAKE_ROOT/tests/bench/tree.py" "$work/tree.tar" >&2 &&
		mkdir "$work/tree" && tar -xf "$work/tree.tar" -C "$work/tree" &&
		(cd "$work/tree" && find . -type f -print0 | sort -z |
			xargs -0 md5sum) >"$work/t/sums" &&
		truncate -s %4096 "$work/tree.tar" && rm -rf "$work/tree"
}

stage || { echo "fail memory: the guest can be made"; exit 2; }
args=(--lake --smp 2 --mem "$mem" --kernel "$kernel"
	--disk "$work/lake,size=1G" --file "$work/t:/t")
case $form in
short) args+=(--timeout $((400 * slow))); times=(30 15 0) ;;
long)
	stage_tree || { echo "fail memory: the tree can be made"; exit 2; }
	args+=(--timeout $((3000 * slow)) --disk "$work/tree.tar,ro" --tools gcc,libc6-dev)
	times=(30 30 "${ROUNDS:-4}")
	;;
*) die "usage: memory.sh [short|long]" ;;
esac
status=0
"$LAKE_ROOT/qemu/vm" run "${args[@]}" -- sh /t/memory-guest.sh "${times[@]}" |
	tee "$work/results" || status=$?
[ $status = 0 ] || {
	echo "fail memory: the guest ends with status $status"
	exit 1
}
! grep -q '^fail ' "$work/results"
