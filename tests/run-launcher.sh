#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The launcher's promises, in the busybox guest, with a script in laked's
# place.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin launcher

# lake-probe on images: a whole one, one that only its second superblock can
# tell, one that nothing can.
probe() { "$LAKE_BUILD/launcher/lake-probe" "$1" >"$suite_dir/probed"; }

probe_tells_a_lake() {
	local image=$suite_dir/a.img
	rm -f "$image"
	"$1" mkfs --size 96M --label 'a "b" c' \
		--uuid 00112233-4455-6677-8899-aabbccddeeff "$image" >/dev/null || return 1
	probe "$image" && grep -qx 'ID_FS_TYPE=lakefs' "$suite_dir/probed" &&
		grep -qx 'ID_FS_UUID=00112233-4455-6677-8899-aabbccddeeff' "$suite_dir/probed" &&
		grep -qxF 'ID_FS_LABEL_ENC=a\x20\x22b\x22\x20c' "$suite_dir/probed" || return 1
	cp "$suite_dir/probed" "$suite_dir/whole"
	dd if=/dev/zero of="$image" bs=4096 seek=1 count=1 conv=notrunc status=none
	probe "$image" && cmp "$suite_dir/whole" "$suite_dir/probed"
}

probe_tells_no_lake_from_one() {
	local image=$suite_dir/a.img
	printf x | dd of="$image" bs=1 seek=$((96 * 1048576 - 4096 + 100)) conv=notrunc status=none
	probe "$image"
	[ $? = 2 ] && [ ! -s "$suite_dir/probed" ] || return 1
	head -c 100 /dev/zero >"$suite_dir/short"
	probe "$suite_dir/short"
	[ $? = 2 ] || return 1
	probe "$suite_dir/none"
	[ $? = 2 ]
}

# explained ROOT LINE...: what the boot says of a root, in these words.
explained() {
	local root=$1 line
	shift
	LAKE_LIB=$LAKE_BUILD/launcher LAKE_BLOCK=$suite_dir/none sh -c '. "$0"; lake_explain_root "$1"' \
		"$LAKE_ROOT/initramfs/lib/boot.sh" "$root" >"$suite_dir/said"
	for line in "$@"; do
		grep -qF -- "$line" "$suite_dir/said" || { cat "$suite_dir/said"; return 1; }
	done
}

the_boot_explains_its_root() {
	local lake=$suite_dir/boot.img
	rm -f "$lake"
	"$1" mkfs --size 96M "$lake" >/dev/null || return 1
	truncate -s 1M "$suite_dir/other.img"
	explained "$suite_dir/other.img" "lakefs: $suite_dir/other.img holds no lake: no whole superblock" \
		'  devices with a lake: none' '  next: power off' &&
		explained /dev/none 'lakefs: there is no device /dev/none' '  next: ' &&
		explained LABEL=nobody 'lakefs: no device holds a lake with LABEL=nobody' '  next: ' &&
		explained "$lake" && [ ! -s "$suite_dir/said" ]
}

# wrong_words STATUS SAID CMD...: ends so, says that, and where more is said.
wrong_words() {
	local status=$1 said=$2 got=0
	shift 2
	"$LAKE_BUILD/launcher/$1" "${@:2}" >"$suite_dir/said" 2>&1 || got=$?
	[ $got = "$status" ] && grep -qF -- "$said" "$suite_dir/said" &&
		grep -qF -- "see $1 --help" "$suite_dir/said" || {
		echo "$*: status $got"
		cat "$suite_dir/said"
		return 1
	}
}

the_wrong_word_is_named() {
	wrong_words 1 "unrecognized option '--frob'" mount.lakefs --frob /dev/x /mnt &&
		wrong_words 1 "unrecognized option '--frob=1'" mount.lakefs /dev/x /mnt --frob=1 &&
		wrong_words 1 "invalid option -- 'x'" mount.lakefs /dev/x /mnt -x &&
		wrong_words 1 'a DEVICE and a DIRECTORY are needed' mount.lakefs /dev/x &&
		wrong_words 2 "unrecognized option '--frob'" laked-launcher --frob &&
		wrong_words 2 'stop: no option' laked-launcher stop &&
		wrong_words 2 'x is no --timeout' laked-launcher --timeout x &&
		"$LAKE_BUILD/launcher/mount.lakefs" --help | grep -q '^Usage: mount.lakefs'
}

# The launcher is built with the tree.
if tree=$("$LAKE_ROOT/qemu/parts.sh" tree); then
	lakectl=$tree/usr/bin/lakectl
	check 'lake-probe tells a lake by either superblock' probe_tells_a_lake "$lakectl"
	check 'lake-probe tells what is no lake' probe_tells_no_lake_from_one
	check 'the boot says why a root cannot be mounted' the_boot_explains_its_root "$lakectl"
	check 'a wrong option is the word that is named' the_wrong_word_is_named
	status=0
	"$LAKE_VM" run --timeout 240 --file "$LAKE_BUILD/launcher:/t" \
		--file "$LAKE_TESTS/boot/launcher-guest.sh:/t/guest.sh" -- \
		sh /t/guest.sh >"$suite_dir/results" || status=$?
	suite_collect "$suite_dir/results" ''
	[ $status = 0 ] || fail "the guest ends with status $status"
else
	fail 'the launcher builds'
fi
suite_end
