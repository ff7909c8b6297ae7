#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# xfstests' generic tests, each by its number: those of TESTS, or all quick
# ones, of which SHARD=I/N runs a part.
# The suite's own driver runs one test at a time, so that one that hangs costs
# its time limit and no more.
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/root.sh"
suite=/mnt/share/xfstests
make_root || exit 1
mkdir -p /t/xfstests /layer/suite /layer/suite.work
mount -t overlay -o "lowerdir=$suite,upperdir=/layer/suite,workdir=/layer/suite.work" \
	overlay /t/xfstests
cp "$suite"/lib/host/* /t/usr/lib/x86_64-linux-gnu/ 2>/dev/null
make_fs /dev/vda || exit 1
make_fs /dev/vdb
[ "$FS" != lakefs ] || mount.lakefs /dev/vda /t/m && umount /t/m
cat >/t/xfstests/local.config <<END
export FSTYP=$FS
export TEST_DEV=/dev/vda TEST_DIR=/m
export SCRATCH_DEV=/dev/vdb SCRATCH_MNT=/scratch
export MKFS_OPTIONS="$([ "$FS" = lakefs ] && echo --force)"
END

tests() {
	if [ -n "$TESTS" ]; then
		echo $TESTS | tr ' ' '\n'
	else
		grep -l '^_begin_fstest.*quick' "$suite"/tests/generic/??? |
			sed 's,.*/,,'
	fi | awk -v shard="${SHARD:-1/1}" 'BEGIN { split(shard, s, "/") }
		NR % s[2] == s[1] % s[2]'
}

for number in $(tests); do
	dmesg -C 2>/dev/null
	timeout -k 10 "${LIMIT:-900}" env -u LD_LIBRARY_PATH \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot /t \
		bash -c "cd /xfstests && ./check generic/$number" \
		>/tmp/xfs.log 2>&1 </dev/null
	status=$?
	if grep -q '^Not run:' /tmp/xfs.log; then
		echo "skip $number"
		grep '\[not run\]' /tmp/xfs.log >&2
	elif [ $status = 0 ] && grep -q '^Passed all' /tmp/xfs.log; then
		echo "pass $number"
	else
		echo "fail $number"
		echo "---- generic/$number, status $status" >&2
		tail -n 40 /tmp/xfs.log >&2
		dmesg | tail -n 5 >&2
	fi
	umount /t/scratch 2>/dev/null
	grep -q ' /t/m ' /proc/mounts && umount /t/m
done
check "$FS is sound afterwards" check_fs /dev/vda
