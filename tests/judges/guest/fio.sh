#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# fio with verification: what was written is read again and compared.
. "$(dirname "$0")/common.sh"
make_fs /dev/vda && mount_fs /dev/vda /m || exit 1
job() { # NAME OPTION...
	name=$1
	shift
	check "$name" fio --name="$name" --directory=/m --size="${FIO_SIZE:-48m}" \
		--verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=1 \
		--output-format=terse --group_reporting "$@"
	rm -f /m/"$name".*
}
job seq-buffered --rw=write --bs=64k --ioengine=psync
job rand-buffered --rw=randwrite --bs=4k --ioengine=psync --numjobs=2
job rand-unaligned --rw=randwrite --bs=3k-9k --bs_unaligned=1 --ioengine=psync
job rand-direct --rw=randwrite --bs=4k-64k --direct=1 --ioengine=psync
job aio-direct --rw=randwrite --bs=4k --direct=1 --ioengine=libaio --iodepth=16
job uring-direct --rw=randwrite --bs=8k --direct=1 --ioengine=io_uring --iodepth=16
job uring-buffered --rw=randwrite --bs=8k --ioengine=io_uring --iodepth=8
job mmap --rw=randwrite --bs=4k --ioengine=mmap
job synced --rw=randwrite --bs=4k --ioengine=psync --fsync=8 --size=4m
job dsync --rw=randwrite --bs=4k --ioengine=psync --sync=dsync --size=2m
job fallocated --rw=randwrite --bs=4k --ioengine=psync --fallocate=posix
check_end /dev/vda /m
