#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Puts what the guest needs of the judges that are given, built already, into
# build/judges/share. The folders themselves stay as they are, and nothing of
# them is part of DeepLake.
#   stage.sh pjdfstest|xfstests
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/../../qemu/lib/common.sh"
judges=$LAKE_BUILD/judges

# changed NAME DIR PROGRAM: is there anything to copy? PROGRAM shows that it
# was built.
changed() {
	local name=$1 dir=$2 program=$3
	[ -d "$dir" ] || die "$dir: no such folder (see tests/judges/README.md)"
	[ -x "$dir/$program" ] ||
		die "$dir: $program is not there: build it first, as its own README says"
	key=$(find "$dir" -name .git -prune -o -printf '%P %s %T@\n' |
		LC_ALL=C sort | sha256sum | cut -c1-16)
	stamp_ok "$judges/$name.stamp" "$key" && return 1
	rm -rf "$judges/share/$name" "$judges/$name.stamp"
	mkdir -p "$judges/share/$name"
}

done_with() { printf '%s\n' "$key" >"$judges/$1.stamp"; }

stage_pjdfstest() {
	changed pjdfstest "$PJDFSTEST" pjdfstest || return 0
	cp -a "$PJDFSTEST"/{pjdfstest,tests} "$judges/share/pjdfstest/"
	done_with pjdfstest
}

# The libraries it was linked with go along: the guest's may be others.
copy_libraries() {
	local program
	mkdir -p "$2"
	for program in "$1"/ltp/fsx "$1"/src/*; do
		[ -x "$program" ] && [ -f "$program" ] || continue
		{ ldd "$program" 2>/dev/null || :; } |
			sed -n 's/.*=> \(\/[^ ]*\).*/\1/p'
	done | sort -u | grep -vE '/(libc|libm|libpthread|ld-linux[^/]*)\.so' |
		xargs -r cp -L -t "$2"
}

stage_xfstests() {
	local to=$judges/share/xfstests
	changed xfstests "$XFSTESTS" ltp/fsx || return 0
	tar -C "$XFSTESTS" -cf - --exclude=.git --exclude='*.[oc]' \
		--exclude=./tests/{xfs,btrfs,f2fs,ocfs2,ceph,cifs,nfs,tmpfs,udf} \
		. | tar -C "$to" -xf -
	copy_libraries "$XFSTESTS" "$to/lib/host"
	done_with xfstests
}

case ${1:-} in
pjdfstest) : "${PJDFSTEST:?a folder where it is built}" ;;
xfstests) : "${XFSTESTS:?a folder where it is built}" ;;
*) die "usage: stage.sh pjdfstest|xfstests" ;;
esac
mkdir -p "$judges"
"stage_$1"
