#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# What every file system call has to do (tests/kernel/vfs), in the busybox
# guest: on ext4, to know that the tests are right, and on lakefs served by
# fakelaked and by laked. KERNEL=debug runs it under KASAN and lockdep;
# ONLY="fake" (ext4, fake, dying, laked, laked-6.1, laked-newest) runs a part,
# NAMES="acl xattr" some tests.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin vfs
kernel=${KERNEL:-6.12}
parts='ext4 fake dying laked laked-6.1 laked-newest'
[ "$kernel" != debug ] || parts='fake dying laked' # ext4 is not the question

build_test kernel/vfs vfs || {
	fail 'vfstest builds'
	exit 1
}

# guest NAME SCRIPT VM-OPTION...: runs SCRIPT, which prints the results
guest() {
	local name=$1 script=$2 status=0
	shift 2
	case " ${ONLY:-$parts} " in *" $name "*) ;; *) return ;; esac
	"$LAKE_VM" run --kernel "$kernel" --smp "${SMP:-2}" \
		--timeout "${TIMEOUT:-$(suite_seconds 600)}" \
		--file "$LAKE_BUILD/tests/vfs:/t" "$@" --env NAMES="${NAMES:-}" \
		-- sh -c "$script" >"$suite_dir/results" || status=$?
	suite_collect "$suite_dir/results" "$name/"
	[ $status = 0 ] || [ $status = 1 ] ||
		fail "$name: the guest ends with status $status"
}

# The guest defines remount. What the tests made is kept, listed, has to be the
# same after a remount, and must go away completely.
run_tests='mkdir /m/t && VFSTEST_KEEP=1 /t/vfstest /m/t $NAMES
status=$?
/t/vfstest --list /m/t >/before && umount /m && remount &&
	/t/vfstest --list /m/t >/after
wc -l /before >&2
if cmp /before /after >&2 && [ -s /before ]; then echo pass kept
else diff /before /after | head -n 20 >&2; echo fail kept; fi
if rm -rf /m/t && [ ! -e /m/t ]; then echo pass removed; else echo fail removed; fi
umount /m || echo fail umount
'
truncate -s 300M "$suite_dir/ext4"
mkfs.ext4 -q -F -b 4096 "$suite_dir/ext4"
guest ext4 "mkdir /m
modprobe -q ext4
remount() { mount -t ext4 /dev/vda /m; }
remount && { $run_tests }; exit \$status" \
	--disk "$suite_dir/ext4"

ko=$("$LAKE_ROOT/qemu/parts.sh" module "$kernel") && build_test kernel fake || {
	fail 'module and fakelaked build'
	exit 1
}
"$LAKE_BUILD/tests/fake/fakelaked" mkfs "$suite_dir/fake" 419430400
guest fake "mkdir /m
/f/fakelaked run --log /run/log &
remount() { mount -t lakefs /dev/vda /m; }
remount && { $run_tests }; exit \$status" \
	--module "$ko" \
	--file "$LAKE_BUILD/tests/fake:/f" --disk "$suite_dir/fake"

# programs notice nothing of a daemon that dies every 300 intents
"$LAKE_BUILD/tests/fake/fakelaked" mkfs "$suite_dir/dying" 419430400
guest dying "mkdir /m
/f/fakelaked run --log /run/log --die-after 300 2>/run/err &
mount -t lakefs /dev/vda /m && mkdir /m/t &&
	/t/vfstest /m/t ${NAMES:-name_ rename_ attr_ acl_ xattr_n dir_re misc_}
status=\$?
grep -c attached /run/err >&2
exit \$status" \
	--module "$ko" --file "$LAKE_BUILD/tests/fake:/f" --disk "$suite_dir/dying"

# with_laked NAME: what it left behind is sound, too
with_laked() {
	rm -f "$suite_dir/$1"
	guest "$1" "mkdir /m
	remount() { mount.lakefs /dev/vda /m; }
	lakectl mkfs /dev/vda >&2 && remount && { $run_tests }
	if lakectl verify --full /dev/vda >&2; then echo pass verify; else echo fail verify; fi
	exit \$status" \
		--lake --mem 2G --disk "$suite_dir/$1,size=400M"
}
with_laked laked
# the same module source on the other kernels
for kernel in 6.1 newest; do
	[ -n "${KERNEL:-}" ] || with_laked "laked-$kernel"
done
suite_end
