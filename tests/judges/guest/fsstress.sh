#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# fsstress: PROCS processes with OPS random operations each on one tree.
. "$(dirname "$0")/common.sh"
LD_LIBRARY_PATH=/mnt/share/xfstests/lib/host
export LD_LIBRARY_PATH
OPS=${OPS:-5000}
make_fs /dev/vda && mount_fs /dev/vda /m || exit 1
for seed in ${SEEDS:-1 2}; do
	mkdir /m/$seed
	check "4 processes, $OPS operations each, seed $seed" \
		/mnt/share/xfstests/ltp/fsstress -d /m/$seed -p 4 -n "$OPS" \
		-s "$seed"
	check "what seed $seed made is there after a remount" \
		sh -c "find /m -exec ls -ldn {} + | md5sum >/tmp/before; umount /m"
	mount_fs /dev/vda /m || exit 1
	check "the tree of seed $seed is the same" \
		sh -c 'find /m -exec ls -ldn {} + | md5sum | cmp - /tmp/before'
done
check 'it can all be removed' rm -rf /m/1 /m/2
check_end /dev/vda /m
