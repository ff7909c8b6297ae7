# SPDX-License-Identifier: MPL-2.0
# The parts of DeepLake as they are installed on a system: module, daemon,
# launcher, tools. Source common.sh first. Made by their own build tools, which
# know what changed; the tree is touched only when a file differs, so that its
# key says whether an image is outdated.

LAKE_PARTS=$LAKE_BUILD/parts

# parts_dotnet PROJECT NAME: a self-contained program. Its folder holds the
# runtime too. Intermediate files are kept apart from those of ordinary builds,
# which restore for another target and may run at the same time.
parts_dotnet() {
	local out=$LAKE_BUILD/publish/$2
	with_progress --late "building $2 with its runtime" \
		dotnet publish "$LAKE_ROOT/$1" -nologo -v q -c Release -r linux-x64 \
		--self-contained --artifacts-path "$LAKE_BUILD/dotnet" \
		-p:DebugType=none -p:SatelliteResourceLanguages=en \
		-p:InvariantGlobalization=true -o "$out" ||
		die "dotnet publish of $1 failed"
}

parts_launcher() {
	make -s -C "$LAKE_ROOT/daemon/launcher" OUT="$LAKE_BUILD/launcher" >&2 ||
		die "the launcher does not build"
}

# parts_module KERNELDIR: path of lakefs.ko for that kernel.
parts_module() {
	local dir=$LAKE_BUILD/module/${1##*/}
	with_progress --late "building lakefs.ko for $(cat "$1/release")" \
		make -s -j"$(nproc)" -C "$LAKE_ROOT/kernel" KDIR="$1/build" \
		OUT="$dir" CC="$(cat "$1/cc")" || die "lakefs.ko does not build"
	printf '%s\n' "$dir/kernel/lakefs.ko"
}

# Of the runtime, what only debuggers and tracers open: the initramfs can do
# without. (Found by name; assemblies are all kept, as any may be loaded.)
PARTS_NOT_FOR_BOOT='createdump|libmscordaccore\.so|libmscordbi\.so'
PARTS_NOT_FOR_BOOT+='|libcoreclrtraceptprovider\.so|libclrgc\.so|libclrgcexp\.so'

# The tree of files for the root of a system, kernel modules apart.
parts_tree() {
	local tree=$1 lib=$1/usr/lib/deeplake
	mkdir -p "$lib/initramfs" "$tree/usr/sbin" "$tree/usr/bin" \
		"$tree/usr/share/initramfs-tools"
	cp -a "$LAKE_BUILD/publish/laked/." "$lib/"
	(cd "$lib" && find . -type f ! -path './initramfs/*' -printf '%P\n' |
		grep -vxE "$PARTS_NOT_FOR_BOOT" | LC_ALL=C sort) \
		>"$tree/laked.files"
	mv "$tree/laked.files" "$lib/laked.files"
	cp -a "$LAKE_BUILD/publish/lakectl/." "$lib/"
	cp "$LAKE_BUILD/launcher/laked-launcher" \
		"$LAKE_BUILD/launcher/lake-shutdown" \
		"$LAKE_BUILD/launcher/lake-probe" "$lib/"
	cp "$LAKE_BUILD/launcher/mount.lakefs" \
		"$LAKE_ROOT"/lakectl/wrappers/*.lakefs "$tree/usr/sbin/"
	ln -s ../lib/deeplake/lakectl "$tree/usr/bin/lakectl"
	mkdir -p "$tree/usr/lib/udev/rules.d"
	cp "$LAKE_ROOT"/initramfs/udev/*.rules "$tree/usr/lib/udev/rules.d/"
	cp "$LAKE_ROOT"/initramfs/lib/*.sh "$lib/initramfs/"
	cp -a "$LAKE_ROOT/initramfs/initramfs-tools/." \
		"$tree/usr/share/initramfs-tools/"
}

# parts_build: brings build/parts up to date.
parts_build() {
	parts_launcher
	parts_dotnet daemon/laked laked
	parts_dotnet lakectl lakectl
	rm -rf "$LAKE_PARTS.new"
	parts_tree "$LAKE_PARTS.new"
	if diff -rq --no-dereference "$LAKE_PARTS.new" "$LAKE_PARTS" \
		>/dev/null 2>&1; then
		rm -rf "$LAKE_PARTS.new"
	else
		rm -rf "$LAKE_PARTS"
		mv "$LAKE_PARTS.new" "$LAKE_PARTS"
	fi
}

# tree_key DIR: of names, modes, links and contents.
tree_key() {
	(
		cd "$1"
		find . -printf '%P %m %l\n' | LC_ALL=C sort
		find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
	) | sha256sum | cut -c1-16
}
