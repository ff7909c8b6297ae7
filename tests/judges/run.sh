#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Outside judges of lakefs in the busybox guest, with the real daemon; see
# README.md. run.sh [JUDGE...], by default all that can be run.
# FS=ext4 runs them on ext4, to know what a sound file system does there.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib/suite.sh"
. "$LAKE_ROOT/qemu/lib/busybox.sh"
# shellcheck source=/dev/null
. "$here/tools.sh"
# shellcheck source=/dev/null
. "$here/lists.sh"
FS=${FS:-lakefs}
kernel=${KERNEL:-6.12}
given='' # judges whose source was given
[ -z "${PJDFSTEST:-}" ] || given+=' pjdfstest'
[ -z "${XFSTESTS:-}" ] || given+=' fsx fsstress xfstests'

# guest JUDGE SECONDS OPTION...: runs guest/JUDGE.sh, which prints results;
# they are in $suite_dir/results afterwards.
guest() {
	local judge=$1 limit=$2 status=0 name
	local -a pass_on=()
	shift 2
	for name in TESTS OPS SEEDS LIMIT BATCH NO_FSCK SECONDS_EACH; do
		[ -z "${!name:-}" ] || pass_on+=(--env "$name=${!name}")
	done
	[ "$FS" != lakefs ] || pass_on+=(--lake)
	"$LAKE_VM" run --kernel "$kernel" --timeout "${TIMEOUT:-$limit}" \
		--mem "${MEM:-2G}" --smp "${SMP:-1}" --env "FS=$FS" \
		"${pass_on[@]}" \
		--file "$here/guest:/judges" \
		--disk "$suite_dir/test.$judge,size=${SIZE:-2G}" \
		--disk "$suite_dir/scratch.$judge,size=${SIZE:-2G}" "$@" \
		-- sh "/judges/$judge.sh" | tee "$suite_dir/results" >&2 ||
		status=${PIPESTATUS[0]}
	suite_collect "$suite_dir/results" "$judge/"
	[ $status = 0 ] || [ $status = 1 ] ||
		fail "$judge: the guest ends with status $status"
	rm -f "$suite_dir"/{test,scratch}."$judge"
}

share=(--share "$LAKE_BUILD/judges/share")

# The list of tests, one guest after the other with a part of it, so that a
# guest that hangs costs its part only.
xfstests() {
	local shards=${SHARDS:-1} shard=1 tests
	tests=$(xfstests_wanted) || return 1
	[ -n "$tests" ] || return 0
	while [ $shard -le "$shards" ]; do
		TESTS=$(xfstests_part $shard "$shards" $tests)
		[ -z "$TESTS" ] || guest xfstests 3600 "${share[@]}" \
			--tools "$XFSTESTS_TOOLS"
		xfstests_record "$suite_dir/results"
		shard=$((shard + 1))
	done
}

# knfsd and its client are modules that no other guest needs: they go along as
# files, unpacked, with a list in loading order.
nfs() {
	local dir=$suite_dir/nfs tree module file
	tree=$("$LAKE_ROOT/qemu/kernel.sh" "$kernel")
	mkdir -p "$dir"
	for module in nfsd nfsv3 nfsv4; do
		module_files "$tree/root" "$(cat "$tree/release")" $module
	done | awk '!seen[$0]++' | while read -r file; do
		module=$(basename "$file" .xz)
		case $file in
		*.xz) xz -dc "$file" >"$dir/$module" ;;
		*) cp "$file" "$dir/$module" ;;
		esac
		echo "/nfs/$module"
	done >"$suite_dir/order"
	mv "$suite_dir/order" "$dir/order"
	guest nfs 900 --file "$dir:/nfs" --tools "$NFS_TOOLS"
}

judge() {
	case $1 in
	pjdfstest)
		"$here/stage.sh" pjdfstest || return 1
		guest pjdfstest 3600 "${share[@]}" --tools e2fsprogs
		;;
	fsx | fsstress)
		"$here/stage.sh" xfstests || return 1
		guest "$1" 1800 "${share[@]}" --tools e2fsprogs
		;;
	xfstests)
		"$here/stage.sh" xfstests || return 1
		xfstests
		;;
	stress) guest stress 3600 --tools stress-ng,e2fsprogs ;;
	nfs) nfs ;;
	overlay) guest overlay 600 --tools e2fsprogs ;;
	*) die "no judge called $1" ;;
	esac
}

suite_begin "judges-$FS"
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- overlay nfs stress $given
for name in "$@"; do
	step "judge $name on $FS"
	judge "$name" || fail "$name did not run"
done
printf '%d passed, %d failed\n' "$(grep -c '^pass ' "$suite_results")" \
	"$(grep -c '^fail ' "$suite_results")"
suite_end
