#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# debian.sh lake|ext4: makes the Debian image of that root ready under
# build/image/ (see qemu/README.md), rebuilding only what has changed.
# Both roots hold the same tree and boot with the same initramfs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib/common.sh"
. "$here/../lib/host.sh"
. "$here/../lib/apt.sh"
. "$here/base.sh"
. "$here/parts.sh"

LAKE_IMAGE_KERNEL=6.12
LAKE_IMAGE_SIZE=${LAKE_IMAGE_SIZE:-4G}

# What the tree is made from. A change of any of it makes the image anew.
tree_inputs_key() {
	digest_text "$(base_key)" "$(tree_key "$LAKE_PARTS")" \
		"$(tree_key "$here/root")" "$(digest_of "$here/assemble.sh")" \
		"$(cat "$1/stamp")" "$(sha256sum <"$2")" "$LAKE_IMAGE_SIZE"
}

# Makes root.tar, the ext4 disk and the initramfs.
tree_build() {
	local kernel=$1 module=$2 key=$3 work=$LAKE_IMAGE/work
	stamp_ok "$LAKE_IMAGE/tree.stamp" "$key" && return
	as_root_now
	as_root rm -rf "$work"
	mkdir -p "$work"
	rm -f "$LAKE_IMAGE/tree.stamp"
	with_progress "assembling the Debian image (no download, about a minute)" \
		as_root env LAKE_IMAGE_SIZE="$LAKE_IMAGE_SIZE" unshare --mount \
		bash "$here/assemble.sh" "$work" "$LAKE_IMAGE/base.tar" \
		"$LAKE_PARTS" "$here/root" "$kernel" "$module" ||
		die "the Debian image could not be assembled"
	as_root chown -R "$(id -u):$(id -g)" "$work"
	mv "$work/root.tar" "$LAKE_IMAGE/root.tar"
	mv "$work/ext4.disk" "$LAKE_IMAGE/debian-ext4.disk"
	mv "$work/initrd.img" "$LAKE_IMAGE/initrd-ext4.img"
	ln -f "$LAKE_IMAGE/initrd-ext4.img" "$LAKE_IMAGE/initrd-lake.img"
	cp "$kernel/vmlinuz" "$LAKE_IMAGE/vmlinuz"
	echo "root=/dev/vda rootfstype=ext4 rw" >"$LAKE_IMAGE/cmdline-ext4"
	echo "root=LABEL=debian rootfstype=lakefs rw" >"$LAKE_IMAGE/cmdline-lake"
	rm -rf "$work"
	printf '%s\n' "$key" >"$LAKE_IMAGE/tree.stamp"
}

# The lake with the same tree, by the tools a person would use.
lake_build() {
	local key=$1 disk=$LAKE_IMAGE/debian-lake.disk lakectl
	lakectl=$LAKE_PARTS/usr/lib/deeplake/lakectl
	stamp_ok "$LAKE_IMAGE/lake.stamp" "$key" && return
	rm -f "$LAKE_IMAGE/lake.stamp" "$disk.new"
	truncate -s "$LAKE_IMAGE_SIZE" "$disk.new"
	"$lakectl" mkfs --label debian "$disk.new" >&2 || die "lakectl mkfs failed"
	with_progress "importing the Debian root into a lake" \
		"$lakectl" import "$LAKE_IMAGE/root.tar" "$disk.new" ||
		die "lakectl import failed"
	mv "$disk.new" "$disk"
	printf '%s\n' "$key" >"$LAKE_IMAGE/lake.stamp"
}

build() {
	local kernel module key
	PATH=$PATH:/usr/sbin:/sbin
	ensure_host_packages
	mkdir -p "$LAKE_IMAGE"
	kernel=$("$here/../kernel.sh" "$LAKE_IMAGE_KERNEL")
	apt_private_setup "$LAKE_IMAGE_SUITE"
	base_build "$(base_key)"
	"$here/../parts.sh" tree >/dev/null
	module=$("$here/../parts.sh" module "$LAKE_IMAGE_KERNEL")
	key=$(tree_inputs_key "$kernel" "$module")
	tree_build "$kernel" "$module" "$key"
	[ "$1" = ext4 ] || lake_build "$key"
}

case ${1:-} in
lake | ext4) ;;
*) die "usage: debian.sh lake|ext4" ;;
esac
with_lock image build "$1"
