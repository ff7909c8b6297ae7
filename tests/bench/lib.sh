# SPDX-License-Identifier: MPL-2.0
# What exact.sh and profile.sh share: what goes into the guest, and one boot.
bench_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$bench_here/../../qemu/lib/common.sh"
. "$bench_here/../../qemu/lib/apt.sh"
. "$bench_here/../../qemu/lib/busybox.sh"
smp=${SMP:-1} kernel=${KERNEL:-6.12}
bench_machine=--exact	# or empty: processors that run side by side
bench_tools=e2fsprogs,btrfs-progs,xfsprogs,tar,findutils,grep,coreutils
bench_tools+=,gcc,libc6-dev,libfuse3-4,fuse3

bench_scratch() {
	mkdir -p "$LAKE_BUILD/bench"
	scratch=$(mktemp -d "$LAKE_BUILD/bench/run.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
}

# Kernel modules of the peers, unpacked, in loading order.
bench_modules() {
	local dir=$1 kernel_dir release module file
	kernel_dir=$("$LAKE_ROOT/qemu/kernel.sh" "$kernel")
	release=$(cat "$kernel_dir/release")
	mkdir -p "$dir"
	: >"$dir/list"
	for module in btrfs xfs; do
		module_files "$kernel_dir/root" "$release" "$module"
	done | awk '!seen[$0]++' | while read -r file; do
		case $file in */libcrc32c.ko* | */crc32c-intel.ko*) continue ;; esac
		module=${file##*/}
		xz -dc "$file" >"$dir/${module%.xz}"
		printf '%s\n' "${module%.xz}" >>"$dir/list"
	done
}

# The FUSE peer, linked with the guest's library.
bench_passthrough() {
	local dir=$LAKE_BUILD/bench/fuse
	[ -e "$dir/usr/include/fuse3/fuse.h" ] ||
		apt_private_fetch "$LAKE_GUEST_SUITE" "$dir" libfuse3-dev libfuse3-4
	cc -O2 -Wall -Wextra -Werror -D_FILE_OFFSET_BITS=64 \
		-I"$dir/usr/include/fuse3" -o "$1" "$bench_here/fuse/passthrough.c" \
		-L"$dir/usr/lib/x86_64-linux-gnu" -lfuse3 \
		-Wl,--allow-shlib-undefined
}

# bench_stage: /b and /mnt/share of the guest, in $scratch.
bench_stage() {
	local tree=$LAKE_BUILD/bench/tree.tar key
	make -s -C "$bench_here" OUT="$LAKE_BUILD/bench"
	mkdir -p "$scratch/b" "$LAKE_BUILD/bench/share/compile"
	cp "$LAKE_BUILD/bench/lakebench" "$bench_here/exact-guest.sh" "$scratch/b/"
	bench_modules "$scratch/b/modules"
	bench_passthrough "$scratch/b/passthrough"
	key=$(digest_of "$bench_here/tree.py")
	tree=$LAKE_BUILD/bench/share/tree.tar
	stamp_ok "$LAKE_BUILD/bench/tree.stamp" "$key" || {
		python3 "$bench_here/tree.py" "$tree"
		printf '%s\n' "$key" >"$LAKE_BUILD/bench/tree.stamp"
	}
	cp -p -u "$bench_here"/src/{main,meter,names,data}.c \
		"$bench_here/src/bench.h" "$LAKE_BUILD/bench/share/compile/"
}

# bench_guest FS FILE "ROW..." [VM-OPTION...]: one boot; lakebench's figures
# go to FILE and, shortened, to the terminal as they come.
bench_guest() {
	local fs=$1 file=$2 rows=$3
	shift 3
	step "$fs"
	# shellcheck disable=SC2086 # rows are words
	"$LAKE_ROOT/qemu/vm" run $bench_machine --lake --kernel "$kernel" --smp "$smp" \
		--mem 3G --timeout "${TIMEOUT:-3000}" --tools "$bench_tools" \
		--env "DIVIDE=${DIVIDE:-1}" --env "ROUNDS=${ROUNDS:-1}" \
		--env "NULL_BLK=${NULL_BLK:-}" --file "$scratch/b:/b" --share "$LAKE_BUILD/bench/share" \
		"$@" -- sh /b/exact-guest.sh "$fs" $rows | tee "$file.new" |
		awk -v fs="$fs" '$1 == "row" {
			printf "    %-8s%-18s%10.4f s\n", fs, $2, $6 / 1e9; fflush() }' >&2 ||
		die "$fs: the guest failed"
	mv "$file.new" "$file"
}
