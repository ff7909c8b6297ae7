#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon, which seals after one second:
# files that are equal in pieces come to share these, at whatever byte they
# begin, and stay what they were. /dev/vda: empty at first. `first` leaves the
# lake mounted when the machine ends, `again` is the boot after it.
# PIECES_MIB: size of the large file. Prints `pass NAME` / `fail NAME`.
. /lib.sh
mib=${PIECES_MIB:-12}

saved() { within $((240 + 8 * mib)) saved_now $(($1)); }
saved_now() { [ "$(counter saved_blocks)" -ge "$1" ]; }

blocks_of() { echo $(($(stat -c %b "$1") / 8)); }

# A byte at the front moves all that follows: 2 % of the file at most.
byte_inserted() {
	head -c $((mib * 1048576)) /dev/urandom >$l/large
	sync
	look
	before=$(used_kib) base=$(counter saved_blocks)
	{ printf x && cat $l/large; } >$l/inserted
	sync
	full=$(used_kib)
	saved "$base + $mib * 256 * 98 / 100"
	status=$?
	sync
	echo "used: $before KiB, with the other file $full, after sharing $(used_kib)" >&2
	[ $status = 0 ] && [ $((full - before)) -ge $((mib * 1000)) ] &&
		[ $((($(used_kib) - before) * 50)) -lt $((mib * 1024)) ]
}

is_inserted() {
	from_device
	[ "$(head -c 1 $l/inserted)" = x ] &&
		tail -c +2 $l/inserted | cmp - $l/large
}

# Some taken out, some put in, some changed, each at an odd place.
edited() {
	base=$(counter saved_blocks)
	{
		head -c 2000001 $l/large
		echo 'and here are some words more'
		tail -c +2100000 $l/large | head -c 5000003
		tail -c +7600000 $l/large
	} >$l/edited
	cp $l/edited /tmp/edited
	sync
	saved "$base + $(blocks_of $l/edited) * 90 / 100" || return 1
	from_device
	cmp /tmp/edited $l/edited
}

# What is shared is written; neither its source nor what else has it changes.
written_after() {
	for at in 1 700 1500 2999; do
		head -c 5000 /dev/urandom >/tmp/piece
		dd if=/tmp/piece of=$l/edited bs=1k seek=$at conv=notrunc 2>/dev/null
		dd if=/tmp/piece of=/tmp/edited bs=1k seek=$at conv=notrunc 2>/dev/null
	done
	from_device
	cmp /tmp/edited $l/edited && is_inserted
}

killed_meanwhile() {
	for i in 1 2 3 4; do
		{ printf "%s" "$i$i$i" && cat /tmp/edited; } >$l/killed$i
		sync
		sleep $((i % 4))
		kill -9 $(laked)
	done
	for i in 1 2 3 4; do
		tail -c +4 $l/killed$i | cmp - /tmp/edited || return 1
	done
}

source_gone() {
	md5sum <$l/inserted >/tmp/sum
	rm $l/large
	head -c 3000000 /dev/urandom >$l/other
	from_device
	[ "$(md5sum <$l/inserted)" = "$(cat /tmp/sum)" ]
}

first() {
	check 'the daemon starts' start
	check 'mkfs' lakectl mkfs /dev/vda
	check 'it mounts' mount.lakefs /dev/vda $l
	check "a byte before $mib MiB takes less than 2 %, after a while" byte_inserted
	check 'and is what it was' is_inserted
	check 'what is cut, moved and added to shares the rest' edited
	check 'writing to it changes nothing else' written_after
	check 'daemons that are killed meanwhile' killed_meanwhile
	check 'what loses its source keeps its blocks' source_gone
	( cd $l && md5sum * >sums )
	sync
	# pieces that are being found when the machine ends
	{ printf yz && cat $l/inserted; } >$l/late
	sync
	sleep 3
}

again() {
	check 'the daemon starts again' start
	check 'the lake is there after the machine ended' mount.lakefs /dev/vda $l
	sums() { ( cd $l && md5sum -c sums ) >&2 && tail -c +3 $l/late | cmp - $l/inserted; }
	check 'every file is what it was' sums
	check 'it is sound while it is mounted' lakectl verify /dev/vda
	check 'it unmounts' umount $l
	check 'it is sound' lakectl verify --full /dev/vda
}

"$1"
