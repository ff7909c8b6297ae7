#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# That files hold what was put into them (tests/kernel/data), in the busybox
# guest: on ext4, to know that the tests are right, on lakefs served by
# fakelaked, also by one that dies all the time, and by laked. KERNEL=debug
# runs it under KASAN and lockdep; ONLY="fake" (ext4, fake, dying, laked, newest) runs
# a part, NAMES="tail model" some tests, OPS=5000 more operations of each, SMP=2
# with more processors.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin data
kernel=${KERNEL:-6.12}
parts='ext4 fake dying laked newest'
[ "$kernel" != debug ] || parts='fake dying laked' # ext4 is not the question

build_test kernel/data data || {
	fail 'datatest builds'
	exit 1
}

slow=$(cat "$LAKE_TESTS/kernel/slow-device.sh")

# guest NAME TESTS SCRIPT VM-OPTION...: SCRIPT mounts /dev/vda at /m
guest() {
	local name=$1 names=${NAMES:-$2} script=$3 status=0
	shift 3
	case " ${ONLY:-$parts} " in
	*" $name "*) ;;
	*) return ;;
	esac
	"$LAKE_VM" run --kernel "$kernel" --mem 2G --smp "${SMP:-1}" \
		--timeout "${TIMEOUT:-$(suite_seconds 1200)}" \
		--file "$LAKE_BUILD/tests/data:/t" "$@" \
		--env NAMES="$names" --env DATATEST_OPS="${OPS:-1000}" \
		-- sh -c "mkdir -p /m; $slow
$script" >"$suite_dir/results" ||
		status=$?
	suite_collect "$suite_dir/results" "$name/"
	[ $status = 0 ] || [ $status = 1 ] ||
		fail "$name: the guest ends with status $status"
}

truncate -s 160M "$suite_dir/ext4"
mkfs.ext4 -q -F -b 4096 "$suite_dir/ext4"
guest ext4 '' 'modprobe -q ext4
mount -t ext4 /dev/vda /m && /t/datatest --dev /dev/vda --type ext4 /m $NAMES' \
	--disk "$suite_dir/ext4"

ko=$("$LAKE_ROOT/qemu/parts.sh" module "$kernel") && build_test kernel fake || {
	fail 'module and fakelaked build'
	exit 1
}
run_lake='mount -t lakefs /dev/vda /m &&
	/t/datatest --dev /dev/vda --type lakefs /m $NAMES
status=$?
umount /m || echo fail umount'
with_fake=(--module "$ko"
	--file "$LAKE_BUILD/tests/fake:/f")
start_fake='/f/fakelaked mkfs /dev/vda; export DATATEST_SEALS=/run/seals
	/f/fakelaked run --log /run/log --seals /run/seals'

guest fake '' "$start_fake & $run_lake
exit \$status" "${with_fake[@]}" --disk "$suite_dir/fake,size=160M"

# every 250 intents: writeback, truncates and leases in flight; how packs are
# read does not depend on that
seal='checked control kept parts race refused remap share shift skew unseal ways
	pack_any pack_at'
guest dying "shift folio tail direct many share clone trim $(printf 'seal_%s ' $seal)" "$start_fake --die-after 250 & $run_lake
exit \$status" "${with_fake[@]}" --disk "$suite_dir/dying,size=160M"

# direct I/O ends in an interrupt there
if [ "$kernel" = 6.12 ]; then
	kernel=newest with_fake[1]=$("$LAKE_ROOT/qemu/parts.sh" module newest)
	guest newest 'direct tail share' "$start_fake & $run_lake
exit \$status" "${with_fake[@]}" --disk "$suite_dir/newest,size=160M"
	kernel=6.12
fi

# and what it left behind is sound
guest laked '' "lakectl mkfs /dev/vda >&2 && mount.lakefs /dev/vda /m &&
	/t/datatest --dev /dev/vda --type lakefs /m \$NAMES
status=\$?
umount /m || echo fail umount
if lakectl verify --full /dev/vda >&2; then echo pass verify; else echo fail verify; fi
exit \$status" --lake --disk "$suite_dir/laked,size=200M"
suite_end
