#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Lakes that lost something and are repaired, with the real daemon in the busybox
# guest: all of the metadata (rebuild), a part of it, or what the device cannot
# read (damage). ONLY="rebuild damage": some of them. KERNEL=debug: under KASAN and
# lockdep.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin repair
kernel=${KERNEL:-6.12}
limit=$(suite_seconds 1200)
wanted() { case " ${ONLY:-rebuild damage} " in *" $1 "*) ;; *) return 1 ;; esac; }

# boot NAME ARGUMENT...: NAME-guest.sh in a machine with that, too
boot() {
	local name=$1 status=0
	shift
	"$LAKE_VM" run --lake --kernel "$kernel" --smp "${SMP:-2}" --mem "${MEM:-1G}" \
		--timeout "$limit" "$@" --file "$LAKE_TESTS/lake/lib.sh:/lib.sh" \
		--file "$LAKE_TESTS/repair/lib.sh:/repair.sh" \
		--file "$LAKE_TESTS/repair/$name-guest.sh:/guest.sh" -- \
		sh /guest.sh >"$suite_dir/$name.results" || status=$?
	suite_collect "$suite_dir/$name.results" ''
	[ $status = 0 ] || fail "the guest of $name ends with status $status"
}

! wanted rebuild || boot rebuild --disk "$suite_dir/rebuild,size=128M"
if wanted damage; then
	cc -O2 -Wall -Werror -static -I"$LAKE_ROOT/proto" -o "$suite_dir/damage" \
		"$LAKE_TESTS/repair/damage.c" || fail 'damage builds'
	cc -O2 -Wall -Werror -static -o "$suite_dir/flip" "$LAKE_TESTS/lake/flip.c" ||
		fail 'flip builds'
	boot damage --tools coreutils --disk "$suite_dir/whole,size=128M" --disk "$suite_dir/twin,size=128M" \
		--disk "$suite_dir/bad,size=128M,bad=1:400" --file "$suite_dir/damage:/sbin/damage" \
		--file "$suite_dir/flip:/sbin/flip"
fi
suite_end
