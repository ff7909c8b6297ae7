#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Outside judges of lakefs in the busybox guest, with the real daemon; see
# README.md. run.sh [JUDGE...], by default all that can be run.
# FS=ext4 runs them on ext4, to know what a sound file system does there.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../lib/suite.sh"
FS=${FS:-lakefs}
kernel=${KERNEL:-6.12}
given='' # judges whose source was given
[ -z "${PJDFSTEST:-}" ] || given+=' pjdfstest'
[ -z "${XFSTESTS:-}" ] || given+=' fsx fsstress xfstests'

# guest JUDGE SECONDS OPTION...: runs guest/JUDGE.sh, which prints results
guest() {
	local judge=$1 limit=$2 status=0 name
	local -a pass_on=()
	shift 2
	for name in TESTS OPS SEEDS SHARD LIMIT; do
		[ -z "${!name:-}" ] || pass_on+=(--env "$name=${!name}")
	done
	[ "$FS" != lakefs ] || pass_on+=(--lake)
	"$LAKE_VM" run --kernel "$kernel" --timeout "${TIMEOUT:-$limit}" \
		--mem "${MEM:-2G}" --smp "${SMP:-1}" --env "FS=$FS" \
		"${pass_on[@]}" \
		--file "$here/guest:/judges" \
		--disk "$suite_dir/test.$judge,size=${SIZE:-2G}" \
		--disk "$suite_dir/scratch.$judge,size=${SIZE:-2G}" "$@" \
		-- sh "/judges/$judge.sh" >"$suite_dir/results" || status=$?
	suite_collect "$suite_dir/results" "$judge/"
	[ $status = 0 ] || [ $status = 1 ] ||
		fail "$judge: the guest ends with status $status"
	rm -f "$suite_dir"/{test,scratch}."$judge"
}

share=(--share "$LAKE_BUILD/judges/share")
# shellcheck source=/dev/null
. "$here/tools.sh"

judge() {
	case $1 in
	pjdfstest)
		"$here/build.sh" pjdfstest || return 1
		guest pjdfstest 3600 "${share[@]}" --tools e2fsprogs
		;;
	fsx | fsstress)
		"$here/build.sh" xfstests || return 1
		guest "$1" 1800 "${share[@]}" --tools e2fsprogs
		;;
	xfstests)
		"$here/build.sh" xfstests || return 1
		guest xfstests 3600 "${share[@]}" --tools "$XFSTESTS_TOOLS"
		;;
	overlay) guest overlay 600 --tools e2fsprogs ;;
	*) die "no judge called $1" ;;
	esac
}

suite_begin "judges-$FS"
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- overlay $given
for name in "$@"; do
	step "judge $name on $FS"
	judge "$name" || fail "$name did not run"
done
printf '%d passed, %d failed\n' "$(grep -c '^pass ' "$suite_results")" \
	"$(grep -c '^fail ' "$suite_results")"
suite_end
