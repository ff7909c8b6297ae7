# SPDX-License-Identifier: MPL-2.0
# The debug kernel (KASAN, lockdep, kmemleak): built from Debian's source with
# the options of qemu/debug-kernel.config, or taken from an archive that has
# them. Source common.sh, host.sh and apt.sh first; KERNELS is where it lies.

DEBUG_OPTIONS=$LAKE_ROOT/qemu/debug-kernel.config
DEBUG_SUITE=bookworm
DEBUG_SOURCE=linux-source-6.12
DEBUG_CC=gcc-12

# A ready archive saves the building: the file that
# LAKEFS_DEBUG_KERNEL_ARCHIVE names, or one beside the checkout.
# FROM_SOURCE=1 takes none.
debug_archive() {
	local path
	[ -z "${FROM_SOURCE:-}" ] || return 1
	for path in "${LAKEFS_DEBUG_KERNEL_ARCHIVE:-}" \
		"$LAKE_ROOT/../shared/debug-kernel/linux-6.12-lakedebug.tar.zst"; do
		[ -n "$path" ] && [ -r "$path" ] && { realpath "$path"; return; }
	done
	return 1
}

debug_options_key() { sha256sum <"$DEBUG_OPTIONS" | cut -c1-16; }

# debug_key STAMP: what a finished folder was made from. One that was built
# here stays when an archive turns up.
debug_key() {
	local archive built
	built="debug 3 source $(debug_options_key)"
	if stamp_ok "$1" "$built" || ! archive=$(debug_archive); then
		printf '%s\n' "$built"
	else
		printf 'debug 3 archive %s %s\n' "$(debug_options_key)" \
			"$(stat -c '%s %Y' "$archive")"
	fi
}

# debug_options [PART]: their lines; of the part that an archive must have.
debug_options() {
	if [ -z "${1:-}" ]; then
		cat "$DEBUG_OPTIONS"
	else
		sed '/^# What costs time/,$d' "$DEBUG_OPTIONS"
	fi | grep -E '^(# )?CONFIG_'
}

# debug_lacks CONFIG [PART]: the lines of our options that do not hold in it.
debug_lacks() {
	local line name
	debug_options "${2:-}" | while read -r line; do
		name=${line#\# }
		name=${name%% *}
		case $line in
		'# '*) ! grep -q "^$name=" "$1" || printf '%s\n' "$line" ;;
		*) grep -qxF -- "$line" "$1" || printf '%s\n' "$line" ;;
		esac
	done
}

# debug_unpack DIR ARCHIVE: fails when it has not the options.
debug_unpack() {
	local dir=$1 archive=$2 top lacks
	step "unpacking the debug kernel"
	mkdir -p "$dir/unpacked"
	tar --zstd -xf "$archive" -C "$dir/unpacked" ||
		die "could not unpack $archive"
	top=$(find "$dir/unpacked" -maxdepth 1 -mindepth 1 -type d | head -n 1)
	lacks=$(debug_lacks "$top/.config" part)
	[ -z "$lacks" ] || die "$archive was built without these options" \
		"(FROM_SOURCE=1 takes no archive): $lacks"
	mv "$top/bzImage" "$dir/vmlinuz"
	mv "$top/.config" "$dir/config"
	mv "$top/System.map" "$dir/System.map"
	mv "$top/build" "$dir/build"
	rm -rf "$dir/unpacked"
}

# debug_make WORK ARG...: the kernel's make.
debug_make() {
	local work=$1
	shift
	make -s -C "$work/source" O="$work/objects" ARCH=x86_64 \
		CC=$DEBUG_CC HOSTCC=$DEBUG_CC KBUILD_BUILD_USER=lake \
		KBUILD_BUILD_HOST=lake "$@" >&2
}

# debug_fetch WORK: the unpacked source, kept until the kernel is built, so
# that one that was broken off goes on where it was.
debug_fetch() {
	local work=$1 key
	apt_private_setup $DEBUG_SUITE
	key="$(apt_private_deb_paths $DEBUG_SUITE $DEBUG_SOURCE) $(debug_options_key)"
	stamp_ok "$work/stamp" "$key" && return
	rm -rf "$work"
	mkdir -p "$work/source" "$work/objects"
	step "fetching the source of the debug kernel (about 150 MB)"
	apt_private_fetch $DEBUG_SUITE "$work/package" $DEBUG_SOURCE
	tar -xf "$work/package/usr/src/$DEBUG_SOURCE.tar.xz" \
		--strip-components=1 -C "$work/source" ||
		die "could not unpack $DEBUG_SOURCE"
	rm -rf "$work/package"
	printf '%s\n' "$key" >"$work/stamp"
}

debug_configure() {
	local work=$1 lacks
	debug_make "$work" x86_64_defconfig kvm_guest.config ||
		die "the debug kernel could not be configured (in $work)"
	# later lines win, which is said of each
	debug_options >>"$work/objects/.config"
	debug_make "$work" olddefconfig 2>"$work/log" ||
		die "the debug kernel could not be configured: $(cat "$work/log")"
	lacks=$(debug_lacks "$work/objects/.config")
	[ -z "$lacks" ] || die "the debug kernel's source does not take these" \
		"options: $lacks"
}

# debug_build DIR: about 8 minutes on two processors with nothing else to do.
debug_build() {
	local dir=$1 work=$KERNELS/debug.work
	ensure_host_packages "$LAKE_KERNEL_NEEDS"
	debug_fetch "$work"
	debug_configure "$work"
	step "building the debug kernel (about 8 minutes on two idle processors)"
	debug_make "$work" "-j$(nproc)" bzImage modules ||
		die "the debug kernel could not be built (in $work)"
	debug_install "$work" "$dir"
	rm -rf "$work"
}

# The kernel, and the part of both trees that modules are built with.
debug_install() {
	local work=$1 dir=$2
	debug_make "$work" run-command \
		KBUILD_RUN_COMMAND="+\$(srctree)/scripts/package/install-extmod-build $dir/build" ||
		die "the tree to build modules with could not be made"
	cp "$work/objects/System.map" "$dir/System.map"
	cp "$work/objects/.config" "$dir/config"
	cp "$work/objects/.config" "$dir/build/.config"
	cp "$work/objects/arch/x86/boot/bzImage" "$dir/vmlinuz"
}

# debug_kernel DIR: DIR is empty.
debug_kernel() {
	local dir=$1 archive
	if archive=$(debug_archive); then
		debug_unpack "$dir" "$archive"
	else
		debug_build "$dir"
	fi
	cp "$dir/build/include/config/kernel.release" "$dir/release"
	echo $DEBUG_CC >"$dir/cc"
}
