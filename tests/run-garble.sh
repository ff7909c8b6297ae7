#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# lakefs.ko with peers that lie, in the busybox guest: daemons that spoil
# answers (garble), callers of ioctls and netlink, daemons that only pretend
# and superblocks that lie (hostile), damaged images with the real daemon
# (images). KERNEL=debug runs it under KASAN and lockdep; SEEDS seeds from SEED
# on, SECONDS_EACH, ROUNDS, IMAGES for each; ONLY=hostile a part.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin garble
kernel=${KERNEL:-6.12}
out=$LAKE_BUILD/tests

ko=$("$LAKE_ROOT/qemu/parts.sh" module "$kernel") && build_test kernel fake &&
	build_test kernel/hostile hostile && build_test kernel/vfs vfs || {
	fail 'module, fakelaked, hostile and vfstest build'
	exit 1
}

# guest NAME SCRIPT VM-OPTION...
guest() {
	local name=$1 script=$2 status=0
	shift 2
	case " ${ONLY:-garble hostile images} " in
	*" $name "*) ;;
	*) return ;;
	esac
	"$LAKE_VM" run --kernel "$kernel" --smp "${SMP:-2}" \
		--timeout "${TIMEOUT:-$(suite_seconds 600)}" \
		--file "$LAKE_TESTS/kernel/$script:/t/guest.sh" "$@" -- \
		sh /t/guest.sh >"$suite_dir/$name.results" || status=$?
	suite_collect "$suite_dir/$name.results" ''
	[ $status = 0 ] || fail "$name: the guest ends with status $status"
}

alone=(--file "$ko:/t/lakefs.ko" --file "$out/fake/fakelaked:/t/fakelaked")
guest garble garble-guest.sh "${alone[@]}" \
	--file "$out/vfs/vfstest:/t/vfstest" \
	--env SEEDS="${SEEDS:-4}" --env SECONDS_EACH="${SECONDS_EACH:-10}"
guest hostile hostile-guest.sh "${alone[@]}" \
	--file "$out/hostile/hostile:/t/hostile" --env SEED="${SEED:-1}" \
	--env SEEDS="${SEEDS:-1}" --env ROUNDS="${ROUNDS:-4000}" \
	--env IMAGES="${IMAGES:-25}"
guest images image-guest.sh --lake \
	--file "$out/hostile/hostile:/bin/hostile" --env SEED="${SEED:-1}" \
	--env IMAGES="${IMAGES:-4}"
suite_end
