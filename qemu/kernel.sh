#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# kernel.sh NAME: makes build/kernels/NAME ready (6.12, 6.1 or debug) and
# prints its path. qemu/README.md lists what is in it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/host.sh"
. "$here/lib/apt.sh"

# Debian's kernels for bookworm: both are built with gcc-12, which bookworm
# and trixie hosts can install.
KERNEL_SUITE=bookworm

# The real path: checkouts may share one folder of kernels by a link, and the
# headers have paths in them.
mkdir -p "$LAKE_BUILD"
KERNELS=$(readlink -f "$LAKE_BUILD/kernels")

# image_meta NAME / headers_meta NAME: Debian's meta packages.
image_meta() {
	case $1 in
	6.12) echo linux-image-6.12-cloud-amd64 ;;
	6.1) echo linux-image-cloud-amd64 ;;
	esac
}

# The real package behind a meta package, of the newest version.
real_image() {
	apt_private_depends $KERNEL_SUITE "$(image_meta "$1")" |
		grep '^linux-image-[0-9]' | head -n 1
}

# Debian's header packages point to each other below /usr: make them point to
# where they were unpacked.
relocate_headers() {
	local dir=$1 root=$2 link target
	find "$root/usr/src" -maxdepth 2 -type l | while read -r link; do
		target=$(readlink "$link")
		case $target in
		/*) ln -sfn "$root$target" "$link" ;;
		../../lib/*) ln -sfn "$root/usr/lib/${target#../../lib/}" "$link" ;;
		../lib/*) ln -sfn "$root/usr/lib/${target#../lib/}" "$link" ;;
		esac
	done
	find "$root/usr/src" -maxdepth 2 -type f \
		\( -name Makefile -o -name .kernelvariables \) \
		-exec sed -i "s,\([ =]\)/usr/src/,\1$root/usr/src/,g; s,\([ =]\)/usr/lib/linux-kbuild,\1$root/usr/lib/linux-kbuild,g" {} +
	ln -sfn "$root/usr/src/linux-headers-$(cat "$dir/release")" "$dir/build"
}

fetch_debian_kernel() {
	local name=$1 dir=$2 image release headers common kbuild
	apt_private_setup $KERNEL_SUITE
	image=$(real_image "$name")
	[ -n "$image" ] || die "no kernel $name in $KERNEL_SUITE"
	release=${image#linux-image-}
	headers=linux-headers-$release
	step "fetching kernel $release with its headers (about 45 MB)"
	common=$(apt_private_depends $KERNEL_SUITE "$headers" | grep -- '-common$')
	kbuild=$(apt_private_depends $KERNEL_SUITE "$headers" | grep '^linux-kbuild-')
	apt_private_fetch $KERNEL_SUITE "$dir/root" \
		"$image" "$headers" "$common" "$kbuild"
	printf '%s\n' "$release" >"$dir/release"
	cp "$dir/root/boot/vmlinuz-$release" "$dir/vmlinuz"
	cp "$dir/root/boot/config-$release" "$dir/config"
	echo gcc-12 >"$dir/cc"
	relocate_headers "$dir" "$dir/root"
	# With it the build would want pahole for type information of modules.
	rm -f "$dir/root/usr/src/linux-headers-$release/vmlinux"
	/sbin/depmod -b "$dir/root" "$release" ||
		die "depmod failed for $release"
}

debug_archive() {
	local path
	for path in "${LAKEFS_DEBUG_KERNEL_ARCHIVE:-}" \
		"$LAKE_ROOT/../shared/debug-kernel/linux-6.12-lakedebug.tar.zst"; do
		[ -n "$path" ] && [ -r "$path" ] && { realpath "$path"; return; }
	done
	die "the debug kernel (KASAN, lockdep, kmemleak) is a ready-made archive:" \
		"set LAKEFS_DEBUG_KERNEL_ARCHIVE to its path" \
		"(linux-6.12-lakedebug.tar.zst)"
}

unpack_debug_kernel() {
	local dir=$1 archive=$2 top
	step "unpacking the debug kernel"
	mkdir -p "$dir/root"
	tar --zstd -xf "$archive" -C "$dir/root"
	top=$(find "$dir/root" -maxdepth 1 -mindepth 1 -type d | head -n 1)
	cp "$top/bzImage" "$dir/vmlinuz"
	cp "$top/.config" "$dir/config"
	ln -sfn "$top/build" "$dir/build"
	cat "$top/build/include/config/kernel.release" >"$dir/release"
	echo gcc-12 >"$dir/cc"
}

# What a finished folder was made from; a change makes it anew.
kernel_key() {
	case $1 in
	debug) echo "debug 2 $(stat -c '%s %Y' "$(debug_archive)")" ;;
	*) echo "$1 4 $KERNELS" ;;
	esac
}

make_kernel() {
	local name=$1 dir=$KERNELS/$1 key
	key=$(kernel_key "$name")
	stamp_ok "$dir/stamp" "$key" && return
	ensure_host_packages
	rm -rf "$dir"
	mkdir -p "$dir"
	case $name in
	debug) unpack_debug_kernel "$dir" "$(debug_archive)" ;;
	*) fetch_debian_kernel "$name" "$dir" ;;
	esac
	printf '%s\n' "$key" >"$dir/stamp"
}

case ${1:-} in
6.12 | 6.1 | debug) ;;
*) die "usage: kernel.sh 6.12|6.1|debug" ;;
esac
with_lock "$KERNELS/lock-$1" make_kernel "$1"
printf '%s\n' "$KERNELS/$1"
