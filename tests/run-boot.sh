#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Boots Debian on ext4 and on a lake, works in it, reboots, and cuts the
# power; what a person does must give the same on both. Arguments: the roots
# to test (ext4 lake).
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
. "$LAKE_ROOT/qemu/lib/apt.sh"
suite_begin boot

debs='hello tree jq libjq1 libonig5'
cuts='8 14 20'		# seconds after the first file was acknowledged
boot=(--smp 2 --mem 1G --timeout 900)

# The packages, a repository of our own sources with a fixed history, and a
# program to compile.
make_share() {
	local share=$1 tree=$suite_dir/repo package
	mkdir -p "$share/debs" "$tree"
	apt_private_setup trixie
	# shellcheck disable=SC2086 # a list of words
	apt_private_fetch trixie "$suite_dir/debs" $debs
	for package in $debs; do
		cp "$(apt_private_deb_paths trixie "$package")" "$share/debs/" || return 1
	done
	cp "$LAKE_TESTS/boot/hello.c" "$LAKE_TESTS/boot/guest.sh" "$share/"
	git -C "$tree" init -q -b main || return 1
	local part
	for part in proto kernel qemu tests daemon; do
		mkdir "$tree/$part"
		tar -C "$LAKE_ROOT/$part" --exclude=bin --exclude=obj -cf - . |
			tar -C "$tree/$part" -xf -
		git -C "$tree" add -A
		GIT_AUTHOR_DATE=@1700000000 GIT_COMMITTER_DATE=@1700000000 \
			git -C "$tree" -c user.name=t -c user.email=t@example.org \
			-c commit.gpgsign=false commit -q --no-verify -m "$part" || return 1
	done
	git clone -q --bare "$tree" "$share/repo.git"
}

fstype_of() { [ "$1" = lake ] && echo lakefs || echo ext4; }

# job ROOT NAME VERB ARG...: one boot with a verb of guest.sh.
job() {
	local root=$1 name=$2 status=0
	shift 2
	say "boot: $root, $name"
	"$LAKE_VM" run --root "$root" --root-disk "$suite_dir/$root.disk" \
		--share "$suite_dir/share" --console "$LAKE_OUT/vm/boot-$root-$name.log" \
		"${boot[@]}" -- sh /mnt/share/guest.sh "$@" \
		>"$suite_dir/$root.$name" || status=$?
	suite_collect "$suite_dir/$root.$name" "$root, $name: "
	[ $status = 0 ] && pass "$root, $name: job and power-off" ||
		fail "$root, $name: job and power-off" "status $status"
}

# cut_power ROOT VERB N SECONDS: the N-th power cut. What the guest said reached us.
cut_power() {
	local root=$1 verb=$2 n=$3 seconds=$4 status=0
	"$LAKE_VM" crash --after "$seconds" --when 'acked ' --root "$root" \
		--root-disk "$suite_dir/$root.disk" --share "$suite_dir/share" \
		--console "$LAKE_OUT/vm/boot-$root-cut$n.log" "${boot[@]}" -- \
		sh /mnt/share/guest.sh "$verb" "$(fstype_of "$root")" "$n" \
		>"$suite_dir/$root.cut$n" || status=$?
	grep '^acked ' "$suite_dir/$root.cut$n" | sed '$!b;/^acked [0-9]* [0-9]*$/!d' \
		>>"$suite_dir/share/acked"
	[ $status = 0 ] && grep -q '^acked ' "$suite_dir/$root.cut$n" ||
		{ cat "$suite_dir/$root.cut$n"; return 1; }
}

verify_disk() {
	local status=0
	if [ "$1" = ext4 ]; then
		/sbin/e2fsck -fp "$suite_dir/ext4.disk" || status=$?
		return $((status > 1))
	fi
	"$LAKE_BUILD/parts/usr/lib/deeplake/lakectl" verify "$suite_dir/lake.disk"
}

test_root() {
	local root=$1 fstype n=0 seconds verb=again
	fstype=$(fstype_of "$root")
	job "$root" first first "$fstype"
	# beside a lake, ext4 is there to compare with
	[ "$root" != ext4 ] || [ "$roots" = ext4 ] || return 0
	check "$root: sound after a clean stop" verify_disk "$root"
	: >"$suite_dir/share/acked"
	for seconds in $cuts; do
		n=$((n + 1))
		check "$root: power cut $n while files are written" \
			cut_power "$root" $verb $n "$seconds"
		[ $n != 1 ] || suite_collect "$suite_dir/$root.cut1" "$root, again: "
		verb=cut
		check "$root: sound after power cut $n" verify_disk "$root"
	done
	job "$root" uncut uncut "$fstype"
	check "$root: sound at the end" verify_disk "$root"
	[ "$root" != lake ] || check 'a root that is no lake is told as that' no_lake
}

# A root that is no lake, which qemu/vm itself would refuse: the stock scripts give
# up as ever, and before that is said why, and what to do.
no_lake() {
	local dir=$suite_dir/no-lake
	mkdir -p "$dir"
	ln -sf "$LAKE_BUILD/image/vmlinuz" "$dir/vmlinuz"
	ln -sf "$LAKE_BUILD/image/initrd-lake.img" "$dir/initrd.img"
	cp "$LAKE_BUILD/image/cmdline-lake" "$dir/cmdline"
	truncate -s 64M "$dir/disk"
	"$LAKE_VM" run --root "$dir" --console "$dir/console" "${boot[@]}" -- true
	[ $? = 121 ] || return 1
	tr -d '\r' <"$dir/console" >"$dir/said"
	grep '^lakefs: no device holds a lake with LABEL=debian$' "$dir/said" &&
		grep '^  devices with a lake: none$' "$dir/said" &&
		grep '^  next: power off' "$dir/said" &&
		grep '^ALERT!  LABEL=debian does not exist' "$dir/said" ||
		{ tail -n 40 "$dir/said"; return 1; }
}

# What was computed in both guests, pair by pair.
compare_digests() {
	local word name value other
	while read -r word name value; do
		[ "$word" = digest ] || continue
		other=$(sed -n "s/^digest $name //p" "$suite_dir/lake.first")
		if [ -n "$value" ] && [ "$value" = "$other" ]; then
			pass "$name is the same on ext4 and on a lake"
		else
			fail "$name is the same on ext4 and on a lake" "$value, $other"
		fi
	done <"$suite_dir/ext4.first"
}

mkdir -p "$LAKE_OUT/vm"
[ $# -gt 0 ] || set -- ext4 lake
roots=$*
if ! make_share "$suite_dir/share"; then
	fail 'the share for the guests is made'
else
	for root in "$@"; do
		test_root "$root"
	done
	[ ! -f "$suite_dir/ext4.first" ] || [ ! -f "$suite_dir/lake.first" ] ||
		compare_digests
fi
suite_end
