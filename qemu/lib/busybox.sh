# SPDX-License-Identifier: MPL-2.0
# The busybox guest: an initramfs with static busybox, the kernel modules a
# test may want, and the C and C++ libraries, so that ordinary programs run.
# Source common.sh and apt.sh first.

# Guest programs and libraries come from one suite, so that they fit together.
LAKE_GUEST_SUITE=trixie
LAKE_GUEST_PACKAGES='busybox-static libc6 libgcc-s1 libstdc++6'

# Loaded by init, in this order; the rest is there for modprobe. crc32c_intel,
# as udev loads it: libcrc32c keeps to the best it finds when it is loaded, and
# busybox's modprobe does not know of its soft dependency.
LAKE_BOOT_MODULES='virtio_pci virtio_blk virtio_console crc32c_intel'
LAKE_MORE_MODULES='virtio_net libcrc32c zstd_decompress loop null_blk nbd
	dm_mod dm_snapshot dm_log_writes dm_flakey dm_delay dm_dust
	overlay fuse exportfs brd nfit nd_pmem'

guest_base_fetch() {
	local dir=$LAKE_BUILD/vm/base
	rm -rf "$dir"
	step "fetching busybox and libraries for the guest (about 5 MB)"
	# shellcheck disable=SC2086 # a list of words
	apt_private_fetch $LAKE_GUEST_SUITE "$dir" $LAKE_GUEST_PACKAGES
	rm -rf "$dir"/usr/share "$dir"/usr/lib/x86_64-linux-gnu/gconv \
		"$dir"/usr/lib/x86_64-linux-gnu/audit
}

guest_base() {
	local dir=$LAKE_BUILD/vm/base
	local key="$LAKE_GUEST_SUITE 1 $LAKE_GUEST_PACKAGES"
	stamp_ok "$dir.stamp" "$key" && return
	guest_base_fetch
	printf '%s\n' "$key" >"$dir.stamp"
}

# The files of a module and all it needs, in loading order; nothing when the
# kernel has it built in or not at all.
module_files() {
	{ /sbin/modprobe -d "$1" -S "$2" --ignore-install --show-depends "$3" \
		2>/dev/null || :; } | sed -n 's/^insmod \([^ ]*\).*/\1/p'
}

# copy_modules KERNELDIR TREE: modules go in unpacked, so that neither busybox
# nor the kernel has to do it on each boot.
copy_modules() {
	local kernel=$1 tree=$2 release module file target
	release=$(cat "$kernel/release")
	: >"$tree/etc/modules.boot"
	[ -d "$kernel/root/lib/modules/$release" ] || return 0
	mkdir -p "$tree/lib/modules/$release"
	cp "$kernel/root/lib/modules/$release"/modules.{builtin,order}* \
		"$tree/lib/modules/$release/"
	for module in $LAKE_BOOT_MODULES $LAKE_MORE_MODULES; do
		module_files "$kernel/root" "$release" "$module"
	done | awk '!seen[$0]++' | while read -r file; do
		target=$tree${file#"$kernel/root"}
		mkdir -p "${target%/*}"
		case $file in
		*.xz) xz -dc "$file" >"${target%.xz}" ;;
		*) cp "$file" "$target" ;;
		esac
	done
	/sbin/depmod -b "$tree" "$release"
	for module in $LAKE_BOOT_MODULES; do
		module_files "$tree" "$release" "$module"
	done | awk '!seen[$0]++' | sed "s,^$tree,," >"$tree/etc/modules.boot"
}

busybox_tree() {
	local kernel=$1 tree=$2 base=$LAKE_BUILD/vm/base applet
	mkdir -p "$tree"/{bin,sbin,dev,proc,sys,etc,usr/bin,usr/sbin,lib}
	cp -a "$base/usr/lib/." "$tree/lib/"
	ln -s ../lib "$tree/usr/lib"
	ln -s lib "$tree/lib64"
	ln -sf x86_64-linux-gnu/ld-linux-x86-64.so.2 \
		"$tree/lib/ld-linux-x86-64.so.2"
	cp "$base/usr/bin/busybox" "$tree/bin/busybox"
	for applet in $("$tree/bin/busybox" --list-full); do
		[ "${applet##*/}" = busybox ] && continue
		ln -sf /bin/busybox "$tree/$applet" 2>/dev/null ||
			ln -sf /bin/busybox "$tree/bin/${applet##*/}"
	done
	printf 'root::0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' \
		>"$tree/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
	: >"$tree/etc/fstab"
	# In `vm shell`: init powers off when the shell ends.
	printf '%s() { exit 0; }\n' poweroff halt reboot >"$tree/etc/profile"
	cp "$LAKE_ROOT/qemu/lib/init" "$tree/init"
	chmod 755 "$tree/init"
	copy_modules "$kernel" "$tree"
}

build_busybox() {
	local kernel=$1 image=$2 key=$3 tree
	stamp_ok "$image.stamp" "$key" && return
	guest_base
	step "building the busybox guest for $(cat "$kernel/release")"
	rm -rf "$LAKE_BUILD"/vm/tree.* # left by a build that was killed
	tree=$(mktemp -d "$LAKE_BUILD/vm/tree.XXXXXX")
	busybox_tree "$kernel" "$tree"
	(cd "$tree" && find . | LC_ALL=C sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible) >"$image.new"
	rm -rf "$tree"
	mv "$image.new" "$image"
	printf '%s\n' "$key" >"$image.stamp"
}

# busybox_initrd KERNELDIR: makes it when its inputs changed; prints its path.
busybox_initrd() {
	local kernel=$1 image key
	image=$LAKE_BUILD/vm/busybox-${kernel##*/}.img
	mkdir -p "$LAKE_BUILD/vm"
	key=$(digest_of "$LAKE_ROOT/qemu/lib/init" \
		"$LAKE_ROOT/qemu/lib/busybox.sh" "$kernel/stamp")
	with_lock busybox build_busybox "$kernel" "$image" "$key"
	printf '%s\n' "$image"
}
