#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Builds the judges that are given as source folders and puts what the guest
# needs of them into build/judges/share. The folders themselves stay as they
# are, and nothing of them is part of DeepLake.
#   build.sh pjdfstest|xfstests
set -euo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/../../qemu/lib/common.sh"
judges=$LAKE_BUILD/judges

# copy_source NAME DIR: a copy to build in, made again when DIR changed.
copy_source() {
	local name=$1 dir=$2 key
	[ -d "$dir" ] || die "$dir: no such folder (see tests/judges/README.md)"
	key=$(find "$dir" -name .git -prune -o -printf '%P %s %T@\n' |
		LC_ALL=C sort | sha256sum | cut -c1-16)
	stamp_ok "$judges/$name.stamp" "$key" && return 1
	rm -rf "$judges/$name" "$judges/share/$name" "$judges/$name.stamp"
	mkdir -p "$judges/share"
	cp -a "$dir" "$judges/$name"
	printf '%s\n' "$key" >"$judges/$name.key"
}

done_with() { mv "$judges/$1.key" "$judges/$1.stamp"; }

build_pjdfstest() {
	local to=$judges/share/pjdfstest
	copy_source pjdfstest "$PJDFSTEST" || return 0
	step "building pjdfstest"
	(
		cd "$judges/pjdfstest"
		[ -x configure ] || autoreconf -fi
		./configure
		make clean
		make CFLAGS='-O2 -w' LDFLAGS=-static
	) >"$judges/pjdfstest.log" 2>&1 || die "see $judges/pjdfstest.log"
	mkdir -p "$to"
	cp -a "$judges/pjdfstest"/{pjdfstest,tests} "$to/"
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

build_xfstests() {
	local to=$judges/share/xfstests
	copy_source xfstests "$XFSTESTS" || return 0
	step "building xfstests"
	(
		cd "$judges/xfstests"
		[ -x configure ] || make configure
		[ -f include/builddefs ] || ./configure
		make -k -j2
		test -x ltp/fsx -a -x ltp/fsstress
	) >"$judges/xfstests.log" 2>&1 || [ -x "$judges/xfstests/ltp/fsx" ] ||
		die "see $judges/xfstests.log"
	mkdir -p "$to"
	tar -C "$judges/xfstests" -cf - --exclude=.git --exclude='*.[oc]' \
		--exclude=./tests/{xfs,btrfs,f2fs,ocfs2,ceph,cifs,nfs,tmpfs,udf} \
		. | tar -C "$to" -xf -
	copy_libraries "$judges/xfstests" "$to/lib/host"
	done_with xfstests
}

case ${1:-} in
pjdfstest) : "${PJDFSTEST:?a folder with its source}" ;;
xfstests) : "${XFSTESTS:?a folder with its source}" ;;
*) die "usage: build.sh pjdfstest|xfstests" ;;
esac
mkdir -p "$judges"
"build_$1"
