#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# kill -9 of the daemon under a load that checks itself: no program may see an
# error, nothing may be lost, the daemon comes back by itself.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/crash

usage() {
	cat <<'END'
usage: tests/crash/killloop.sh [options]

  --fs lakefs|ext4  what to test (lakefs); ext4 has no daemon: use --kills 0
  --kills N         how often laked is killed (25)
  --max-ms N        the longest time it is left alone at work (500)
  --seconds S       the load ends after S seconds at the latest (1200)
  --seed S, --streams N, --kernel NAME, --smp N, --timeout S

exit status: 0 nothing was lost, 1 something was, 2 the test could not be run
END
}

fail() { printf 'killloop: %s\n' "$*" >&2; exit 2; }

fs=lakefs kills=25 seconds=1200 seed=1 streams=4 kernel=6.12 timeout=1500
max_ms=500 smp=1
while [ $# -gt 0 ]; do
	case $1 in -h | --help) usage; exit 0 ;; esac
	[ $# -ge 2 ] || fail "$1 needs a value"
	case $1 in
	--fs) fs=$2 ;;
	--kills) kills=$2 ;;
	--seconds) seconds=$2 ;;
	--seed) seed=$2 ;;
	--streams) streams=$2 ;;
	--kernel) kernel=$2 ;;
	--timeout) timeout=$2 ;;
	--max-ms) max_ms=$2 ;;
	--smp) smp=$2 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift 2
done

[ -f "$here/fs/$fs.sh" ] || fail "no such filesystem: $fs"
export CRASH_FS_DIR=$here/fs CRASH_ROOT=$root
# shellcheck source=fs/ext4.sh
. "$here/fs/$fs.sh"
"$here/build.sh" || fail "building lakecrash failed"
work=$(mktemp -d "$build/killloop.XXXXXX")
trap 'rm -rf "$work"' EXIT
truncate -s "${FS_MIB}M" "$work/disk.img"
fs_make "$work/disk.img" || fail "making the filesystem failed"

status=0
# shellcheck disable=SC2086 # lists of words
timeout -k 10 $((timeout + 60)) "$root/qemu/vm" run --kernel "$kernel" \
	--timeout "$timeout" --smp "$smp" --mem "$FS_MEMORY" \
	--file "$build/lakecrash:/bin/lakecrash" --file "$here/fs:/crash/fs" \
	--file "$here/guest:/crash/guest" --env CRASH_CONTROL= \
	--env CRASH_KILL_DAEMON= --env CRASH_FS_MIB="$FS_MIB" \
	$FS_VM_OPTIONS --disk "$work/disk.img" -- sh /crash/guest/killloop.sh \
	"$fs" "$seed" "$streams" "$kills" "$seconds" "$max_ms" || status=$?
[ $status = 0 ] || {
	printf 'killloop: %s: failed (%s)\n' "$fs" $status >&2
	exit 1
}
fs_verify "$work/disk.img" || {
	printf 'killloop: %s: the filesystem is damaged\n' "$fs" >&2
	exit 1
}
printf 'killloop: %s: %s kills, nothing lost\n' "$fs" "$kills"
