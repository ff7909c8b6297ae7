#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Builds DeepLake's own parts when their sources changed, and prints where
# they are:
#   parts.sh module KERNEL   lakefs.ko for build/kernels/KERNEL
#   parts.sh tree            daemon, tools and launcher as installed (build/parts)
#   parts.sh all KERNEL      both
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/host.sh"
. "$here/image/parts.sh"

# Looking at names, sizes and times takes milliseconds; asking the .NET build
# whether anything changed takes many seconds.
sources_key() {
	(
		cd "$LAKE_ROOT"
		find daemon lakectl proto initramfs qemu/image/parts.sh \
			Directory.Build.props \
			\( -name bin -o -name obj \) -prune -o -type f \
			-printf '%p %s %T@ %m\n' | LC_ALL=C sort
	) | sha256sum | cut -c1-16
}

build_tree() {
	local key
	key=$(sources_key)
	if ! [ -d "$LAKE_PARTS" ] || ! stamp_ok "$LAKE_BUILD/parts.stamp" "$key"; then
		check_dotnet
		step "building daemon and tools"
		rm -f "$LAKE_BUILD/parts.stamp"
		parts_build
		printf '%s\n' "$key" >"$LAKE_BUILD/parts.stamp"
	fi
}

# build_module KERNEL: the link build/kernel/KERNEL/lakefs.ko is the short way
# to it.
build_module() {
	local dir ko
	dir=$("$here/kernel.sh" "$1")
	ko=$(parts_module "$dir")
	[ -f "$ko" ] || die "no lakefs.ko for $1 at $ko"
	mkdir -p "$LAKE_BUILD/kernel/$1"
	ln -sfn "$ko" "$LAKE_BUILD/kernel/$1/lakefs.ko"
	printf '%s\n' "$ko"
}

verb=${1:-} kernel=${2:-6.12}
case $verb in module | tree | all) ;; *) die "usage: parts.sh module|tree|all [KERNEL]" ;; esac
[ "$verb" = tree ] || with_lock "module-$kernel" build_module "$kernel"
if [ "$verb" != module ]; then
	with_lock parts build_tree
	printf '%s\n' "$LAKE_PARTS"
fi
