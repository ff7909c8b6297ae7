#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The oracle's own test, without a guest: on a sound tree it finds nothing,
# and each kind of damage it finds. Prints `pass NAME` and `fail NAME`.
set -uo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
build=$here/../../build/crash
"$here/build.sh" || exit 2
crash=$build/lakecrash
scratch=$(mktemp -d "$build/selftest.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
dir=$scratch/tree acks=$scratch/acks
bad=0

result() {
	printf '%s crash/oracle/%s\n' "$1" "$2"
	[ "$1" = pass ] || bad=1
}

check() {
	"$crash" check --dir "$dir" --acks "$acks" --seed 7 --streams 2 \
		--synced >"$scratch/why"
}

# damage NAME CMD...: on a copy of the sound tree.
damage() {
	local name=$1
	shift
	rm -rf "$dir"
	cp -a "$scratch/sound" "$dir"
	if "$@" && ! check; then result pass "$name"; else result fail "$name"; fi
}

# A plain file with one link and at least 8 KiB.
some_file() { find "$dir" -type f -links 1 -size +8k | sort | sed -n "${1:-1}p"; }

flip_byte() {
	local file
	file=$(some_file)
	printf '\x01\xfe' | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
}
zero_sector() { dd if=/dev/zero of="$(some_file)" bs=512 seek=9 count=1 conv=notrunc status=none; }
shorten() { truncate -s -1 "$(some_file)"; }
lengthen() { truncate -s +1 "$(some_file)"; }
empty() { truncate -s 0 "$(some_file)"; }
lose_name() { rm "$(some_file)"; }
move_name() { mv "$(some_file)" "$dir/p0/$(basename "$(some_file)").moved"; }
foreign_name() { touch "$dir/p0/stranger"; }
foreign_root() { mkdir "$dir/q"; }
change_mode() { chmod "$(printf '%o' $((0$(stat -c %a "$(some_file)") ^ 1)))" "$(some_file)"; }
add_link() { ln "$(some_file)" "$scratch/link.$RANDOM"; }
split_link() {
	local file
	file=$(find "$dir" -type f -links +1 | sort | head -n 1)
	[ -n "$file" ] && cp -p "$file" "$scratch/copy" && mv "$scratch/copy" "$file"
}
# Same size, other file's bytes: stale blocks.
foreign_bytes() { dd if="$(some_file 2)" of="$(some_file 1)" bs=4096 count=1 conv=notrunc status=none; }
change_target() {
	local file
	file=$(find "$dir" -type l | sort | head -n 1)
	[ -n "$file" ] && ln -sfn elsewhere "$file"
}

mkdir "$dir"
if "$crash" load --dir "$dir" --seed 7 --streams 2 --ops 2500 --seconds 300 \
	--result "$acks" >/dev/null && check; then
	result pass sound-tree
else
	result fail sound-tree
	cat "$scratch/why"
	exit 1
fi
cp -a "$dir" "$scratch/sound"
for name in flip_byte zero_sector shorten lengthen empty lose_name move_name \
	foreign_name foreign_root change_mode add_link split_link \
	foreign_bytes change_target; do
	damage "finds-${name//_/-}" "$name"
done
exit $bad
