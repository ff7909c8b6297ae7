#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Allocations that fail (tests/kernel/nomem), with the real daemon, in the
# busybox guest of a kernel with failslab. /dev/vda, /dev/vdb: empty.
# NAMES: some of its tests. Prints `pass NAME` / `fail NAME`.
l=/lake
debug=/sys/kernel/debug
mkdir -p $l
mount -t debugfs debugfs $debug 2>/dev/null

result() { # STATUS NAME
	if [ "$1" = 0 ]; then echo "pass $2"; else echo "fail $2"; fi
}

# every kind of allocation of the task that asks for it, without a word
for kind in failslab fail_page_alloc; do
	echo N >$debug/$kind/ignore-gfp-wait
	echo 0 >$debug/$kind/verbose
done
echo N >$debug/fail_page_alloc/ignore-gfp-highmem
echo 0 >$debug/fail_page_alloc/min-order
lakectl mkfs /dev/vda >&2 && lakectl mkfs /dev/vdb >&2 &&
	mount.lakefs /dev/vda $l || exit 1
mkdir $l/t
# shellcheck disable=SC2086 # a list of words
/t/nomem $l/t --second /dev/vdb $NAMES
rmdir $l/t
result $? 'nomem: all that was made is removed'
umount $l
result $? 'nomem: it unmounts'
for dev in /dev/vda /dev/vdb; do
	lakectl verify --full $dev >&2
	result $? "nomem: $dev is sound"
done
