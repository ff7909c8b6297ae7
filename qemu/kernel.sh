#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# kernel.sh NAME: makes build/kernels/NAME ready (6.12, 6.1, newest or debug)
# and prints its path. qemu/README.md lists what is in it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/host.sh"
. "$here/lib/apt.sh"

# Debian's kernels for bookworm are built with gcc-12, which bookworm and trixie
# hosts can install; the newest is sid's.
suite_of() {
	case $1 in
	newest) echo sid ;;
	*) echo bookworm ;;
	esac
}

# The real path: checkouts may share one folder of kernels by a link, and the
# headers have paths in them.
mkdir -p "$LAKE_BUILD"
KERNELS=$(readlink -f "$LAKE_BUILD/kernels")
. "$here/lib/debug-kernel.sh"

# image_meta NAME / headers_meta NAME: Debian's meta packages.
image_meta() {
	case $1 in
	6.12) echo linux-image-6.12-cloud-amd64 ;;
	6.1 | newest) echo linux-image-cloud-amd64 ;;
	esac
}

# The real package behind a meta package, of the newest version.
real_image() {
	apt_private_depends "$(suite_of "$1")" "$(image_meta "$1")" |
		grep '^linux-image-[0-9]' | head -n 1
}

# kernel_packages SUITE RELEASE: kernel, modules, configuration, and what
# modules are built with. Since 7.0 the image package only points to others.
kernel_packages() {
	local suite=$1 release=$2 image=linux-image-$2 headers=linux-headers-$2
	echo "$image" "$headers"
	apt_private_depends "$suite" "$image" |
		grep -xF -e "linux-binary-$release" -e "linux-modules-$release" \
			-e "linux-base-$release" || :
	apt_private_depends "$suite" "$headers" |
		grep -E -- '^linux-headers-.*-common$|^linux-kbuild-'
}

# newest_tools DIR: sid's build programs want sid's C library: each becomes a
# script that starts it with that library. And gcc-12 stands in for sid's
# compiler, without the options it does not know yet.
newest_tools() {
	local dir=$1 lib file
	apt_private_fetch sid "$dir/host" libc6 libelf1t64 zlib1g libzstd1 \
		libssl3t64 libgcc-s1
	lib=$dir/host/usr/lib/x86_64-linux-gnu
	find "$dir/root/usr/lib" -path '*/linux-kbuild-*' -type f -perm -u+x |
		while read -r file; do
			[ "$(head -c 4 "$file" | tail -c 3)" = ELF ] || continue
			mv "$file" "$file.elf"
			printf '#!/bin/sh\nexec %s --argv0 "$0" --library-path %s %s "$@"\n' \
				"$lib/ld-linux-x86-64.so.2" "$lib" "$file.elf" >"$file"
			chmod +x "$file"
		done
	cat >"$dir/gcc" <<-'END'
	#!/bin/bash
	args=()
	for arg; do
		case $arg in
		-fmin-function-alignment=* | -fstrict-flex-arrays* | \
			-fdiagnostics-show-context* | -fzero-init-padding-bits=* | \
			-Wno-unterminated-string-initialization) ;;
		*) args+=("$arg") ;;
		esac
	done
	exec gcc-12 -Wno-attributes "${args[@]}"
	END
	chmod +x "$dir/gcc"
	echo "$dir/gcc" >"$dir/cc"
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
	local name=$1 dir=$2 suite image release
	suite=$(suite_of "$name")
	apt_private_setup "$suite"
	image=$(real_image "$name")
	[ -n "$image" ] || die "no kernel $name in $suite"
	release=${image#linux-image-}
	step "fetching kernel $release with its headers (about 45 MB)"
	# shellcheck disable=SC2046 # a list of words
	apt_private_fetch "$suite" "$dir/root" $(kernel_packages "$suite" "$release")
	printf '%s\n' "$release" >"$dir/release"
	# /lib and /boot, also where Debian has moved them below /usr
	[ -e "$dir/root/lib" ] || ln -s usr/lib "$dir/root/lib"
	cp "$(kernel_file "$dir/root" vmlinuz "$release")" "$dir/vmlinuz"
	cp "$(kernel_file "$dir/root" config "$release")" "$dir/config"
	echo gcc-12 >"$dir/cc"
	relocate_headers "$dir" "$dir/root"
	# With it the build would want pahole for type information of modules.
	rm -f "$dir/root/usr/src/linux-headers-$release/vmlinux"
	[ "$name" != newest ] || newest_tools "$dir"
	/sbin/depmod -b "$dir/root" "$release" ||
		die "depmod failed for $release"
}

# kernel_file ROOT NAME RELEASE: where that release's vmlinuz or config is.
kernel_file() {
	local file
	for file in "$1/boot/$2-$3" "$1/usr/lib/modules/$3/$2"; do
		[ -f "$file" ] && { printf '%s\n' "$file"; return; }
	done
	die "no $2 in the packages of kernel $3"
}

# What a finished folder was made from; a change makes it anew.
kernel_key() {
	case $1 in
	debug) debug_key "$KERNELS/debug/stamp" ;;
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
	debug) debug_kernel "$dir" ;;
	*) fetch_debian_kernel "$name" "$dir" ;;
	esac
	printf '%s\n' "$key" >"$dir/stamp"
}

case ${1:-} in
6.12 | 6.1 | newest | debug) ;;
*) die "usage: kernel.sh 6.12|6.1|newest|debug" ;;
esac
with_lock "$KERNELS/lock-$1" make_kernel "$1"
printf '%s\n' "$KERNELS/$1"
