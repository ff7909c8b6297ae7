#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Makes build/dkms/guest: a Debian system with its own kernel, that kernel's
# headers and DKMS, and nothing of DeepLake but the job's start (qemu/README.md).
# Made once; prints its path.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
. "$here/../../qemu/lib/host.sh"
. "$here/../../qemu/lib/apt.sh"
. "$here/../../qemu/image/base.sh"
suite=$LAKE_IMAGE_SUITE guest=$LAKE_BUILD/dkms/guest
packages=systemd-sysv,dbus,udev,kmod,mount,procps,passwd,login,initramfs-tools
packages+=,linux-image-cloud-amd64,linux-headers-cloud-amd64,dkms,gcc,make
packages+=,libstdc++6,libzstd1,liblz4-1

system_tar() {
	local options=() option
	while read -r option; do
		[ -z "$option" ] || options+=(--aptopt="$option")
	done < <(apt_host_acquire)
	as_root_now
	with_progress "making a Debian system with DKMS: $suite (about 200 MB to fetch; minutes)" \
		as_root mmdebstrap --mode=root --variant=minbase \
		--include="$packages" --format=tar \
		--keyring="$LAKE_APT_KEYRING" "${options[@]}" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "$1" - < <(apt_private_sources "$suite") ||
		die "mmdebstrap could not make the system"
}

# As root, in a folder that is thrown away.
assemble() {
	local work=$1 root=$1/root
	mkdir "$root"
	tar -xf "$work/system.tar" -C "$root" --numeric-owner --exclude='./dev/*'
	cp -a --no-preserve=ownership "$LAKE_ROOT/qemu/image/root/." "$root/"
	echo dkms >"$root/etc/hostname"
	: >"$root/etc/fstab"
	cp "$root"/boot/vmlinuz-* "$work/vmlinuz"
	cp "$root"/boot/initrd.img-* "$work/initrd.img"
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
	truncate -s 3G "$work/disk"
	mkfs.ext4 -q -F -m 0 -d "$root" \
		-E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$work/disk"
	echo 'root=/dev/vda rootfstype=ext4 rw' >"$work/cmdline"
	rm -rf "$root" "$work/system.tar"
}

build() {
	local key work=$guest.new
	key=$(digest_text 1 "$suite" "$packages" "$(declare -f assemble)")
	stamp_ok "$guest/stamp" "$key" && return
	PATH=$PATH:/usr/sbin:/sbin
	ensure_host_packages
	apt_private_setup "$suite"
	as_root rm -rf "$work" "$guest"
	mkdir -p "$work"
	system_tar "$work/system.tar"
	as_root env LAKE_ROOT="$LAKE_ROOT" PATH="$PATH" bash -euc \
		"$(declare -f assemble); assemble \"\$1\"" bash "$work"
	as_root chown -R "$(id -u):$(id -g)" "$work"
	printf '%s\n' "$key" >"$work/stamp"
	mv "$work" "$guest"
}

with_lock dkms-guest build
printf '%s\n' "$guest"
