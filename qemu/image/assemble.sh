#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Second stage of the Debian image, as root in a mount namespace of its own
# (nothing it mounts is seen or left behind outside). Adds kernel modules, the
# parts of DeepLake and the test machine's files to the Debian root, has
# Debian's own update-initramfs make the initramfs, and writes the results.
#   assemble.sh WORK BASE_TAR PARTS OVERLAY KERNELDIR MODULE|none
# leaves in WORK: root.tar, ext4.disk, initrd.img
set -euo pipefail
work=$1 base=$2 parts=$3 overlay=$4 kernel=$5 module=$6
release=$(cat "$kernel/release")
root=$work/root

in_root() { LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"; }

# Told with the time (qemu/lib/progress.sh).
part() { echo "I: $*"; }

unpack() {
	part 'unpacking the Debian root'
	mkdir -p "$root"
	tar -xf "$base" -C "$root" --xattrs --xattrs-include='*' \
		--numeric-owner --exclude='./dev/*'
}

# copy_tree FROM: owners become root's, modes stay.
copy_tree() {
	tar -C "$1" --owner=0 --group=0 --numeric-owner -cf - . |
		tar -xf - -C "$root" --keep-directory-symlink --no-overwrite-dir
}

install_kernel() {
	part 'installing kernel and modules'
	mkdir -p "$root/usr/lib/modules" "$root/boot"
	cp -a --no-preserve=ownership "$kernel/root/lib/modules/$release" \
		"$root/usr/lib/modules/"
	rm -f "$root/usr/lib/modules/$release"/{build,source}
	cp "$kernel/vmlinuz" "$root/boot/vmlinuz-$release"
	cp "$kernel/config" "$root/boot/config-$release"
	if [ "$module" != none ]; then
		mkdir -p "$root/usr/lib/modules/$release/updates"
		cp "$module" "$root/usr/lib/modules/$release/updates/lakefs.ko"
		strip --strip-debug "$root/usr/lib/modules/$release/updates/lakefs.ko"
	fi
	in_root depmod "$release"
}

configure() {
	echo lake >"$root/etc/hostname"
	printf '127.0.0.1\tlocalhost lake\n' >"$root/etc/hosts"
	# A fixed identity: each boot of the image does the same work.
	echo 6c616b65667364656269616e30303031 >"$root/etc/machine-id"
	: >"$root/etc/fstab"
	cat >"$root/etc/apt/sources.list" <<-END
	deb http://deb.debian.org/debian trixie main
	deb http://deb.debian.org/debian trixie-updates main
	deb http://deb.debian.org/debian-security trixie-security main
	END
	rm -f "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
	in_root passwd -q -d root
	rm -f "$root/etc/resolv.conf"
	printf 'nameserver 10.0.2.3\n' >"$root/etc/resolv.conf"
	mkdir -p "$root/mnt/share" "$root/mnt/out"
}

# Debian's own tool with our hook, as on any system.
make_initramfs() {
	part 'making the initramfs'
	mount --bind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	in_root update-initramfs -c -k "$release"
	umount "$root/sys" "$root/proc" "$root/dev"
	cp "$root/boot/initrd.img-$release" "$work/initrd.img"
}

clean() {
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* \
		"$root"/tmp/* "$root"/run/* "$root"/var/log/*.log \
		"$root"/var/log/apt "$root"/var/cache/ldconfig/aux-cache
	mkdir -p "$root/var/lib/apt/lists/partial" "$root/var/cache/apt/archives/partial"
}

write_results() {
	part 'writing the images'
	tar -C "$root" --format=posix --xattrs --xattrs-include='*' \
		--numeric-owner --sort=name -cf "$work/root.tar" .
	truncate -s "${LAKE_IMAGE_SIZE:-4G}" "$work/ext4.disk"
	mkfs.ext4 -q -F -L lake-ext4 -m 1 -E lazy_itable_init=0,lazy_journal_init=0,nodiscard \
		-d "$root" "$work/ext4.disk"
}

PATH=$PATH:/usr/sbin:/sbin
unpack
[ "$parts" = none ] || copy_tree "$parts"
copy_tree "$overlay"
install_kernel
configure
make_initramfs
clean
write_results
rm -rf "$root"
