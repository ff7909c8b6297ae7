#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon, which compresses files that have
# been quiet for some seconds: they take less room and stay what they were.
# /dev/vda: empty at first. `first` leaves the lake mounted when the machine
# ends, `again` is the boot after it. Prints `pass NAME` / `fail NAME`.
. /lib.sh
dev=/dev/vda
serve="--pack-after 2"

packed() { within 240 packed_now $(($1)); }
packed_now() { [ "$(counter packed_blocks)" -ge "$1" ]; }

blocks_of() { echo $(($(stat -c %b "$1") / 8)); }

# Many small ones, one that is large, one that cannot be compressed.
compressed() {
	mkdir -p $l/small
	for i in $(seq 150); do
		seq $i $((i * 7)) >$l/small/$i
	done
	seq 500000 | sed 's/$/ lines of text/' >$l/large
	head -c 1500000 /dev/urandom >$l/random
	cp /bin/busybox $l/busybox
	( cd $l && md5sum large random busybox small/* >/sums )
	sync
	before=$(used_kib)
	packed "$(blocks_of $l/large) + 150"
	status=$?
	sync
	echo "used: $before KiB, after packing $(used_kib); $(counter packed_blocks) blocks in $(counter pack_blocks)" >&2
	[ $status = 0 ] && [ $((($(used_kib) - 1500) * 2)) -lt $((before - 1500)) ]
}

all_right() {
	from_device
	( cd $l && md5sum -c /sums ) >/tmp/sums.out || { grep -v OK /tmp/sums.out; return 1; }
}

runs() {
	from_device
	[ "$($l/busybox echo it runs)" = 'it runs' ]
}

# What is packed is written, cut and cloned; nothing else of the pack changes.
written() {
	cp $l/large /tmp/large
	for at in 3 1000 4097 9000; do
		echo "other words, at $at" >/tmp/piece
		dd if=/tmp/piece of=$l/large bs=1k seek=$at conv=notrunc 2>/dev/null
		dd if=/tmp/piece of=/tmp/large bs=1k seek=$at conv=notrunc 2>/dev/null
	done
	truncate -s 10000001 $l/large /tmp/large
	echo 'and an end' >>$l/large
	echo 'and an end' >>/tmp/large
	echo 'one more line' >>$l/small/77
	rm $l/small/100 $l/small/101
	from_device
	cmp /tmp/large $l/large || return 1
	( cd $l && sed -i '/large\|small\/77\|small\/10[01]/d' /sums &&
		md5sum large small/77 >>/sums )
	all_right
}

# A copy that is written anew comes to lie in the same packs.
equal_one() {
	look
	base=$(counter packed_blocks)
	cat $l/busybox >$l/twin
	sync
	packed "$base + $(blocks_of $l/busybox) * 9 / 10" || return 1
	from_device
	cmp $l/busybox $l/twin
}

# numbers I: so that no two have pieces in common
numbers() { seq $1 7 1400000; }

killed_meanwhile() {
	look
	base=$(counter packed_blocks)
	for i in 1 2 3 4; do
		numbers $i >$l/killed$i
		sync
		sleep $((i + 2))
		kill -9 $(laked)
	done
	packed "$base + $(blocks_of $l/killed1) * 3" || return 1
	from_device
	for i in 1 2 3 4; do
		numbers $i | cmp - $l/killed$i || return 1
	done
}

# One bit of a pack: what is in it cannot be read, everything else can.
damaged() {
	/flip $l/killed2 100 $dev || return 1
	from_device
	! cat $l/killed2 >/dev/null && cat $l/killed1 $l/killed3 >/dev/null &&
		all_right || return 1
	lakectl scrub start --wait $l >/tmp/scrub
	grep killed2 /tmp/scrub && ! grep 'killed[134]' /tmp/scrub
}

# What compresses to a half; of these files only every tenth stays: their packs
# are written anew.
collected() {
	mkdir $l/hex
	head -c 96000 /dev/urandom | hexdump -ve '1/1 "%02x"' >/tmp/hex
	look
	base=$(counter packed_blocks)
	for i in $(seq 0 63); do
		dd if=/tmp/hex of=$l/hex/$i bs=3000 skip=$i count=1 2>/dev/null
	done
	sync
	packed "$base + 64" || return 1
	look
	before=$(counter pack_blocks)
	for i in $(seq 0 63); do
		[ $((i % 10)) = 5 ] || rm $l/hex/$i
	done
	lakectl gc --dry-run $l && lakectl gc $l >/tmp/gc || { cat /tmp/gc; return 1; }
	cat /tmp/gc
	sync
	look
	echo "packs: $before blocks before, $(counter pack_blocks) after" >&2
	[ "$(counter pack_blocks)" -lt $((before - 8)) ] && all_right || return 1
	for i in 5 15 25 35 45 55; do
		tail -c +$((i * 3000 + 1)) /tmp/hex | head -c 3000 | cmp - $l/hex/$i || return 1
	done
}

first() {
	check 'the daemon starts' start
	check 'mkfs' lakectl mkfs $dev
	check 'it mounts' mount.lakefs $dev $l
	check 'files that are quiet take less than half of the room' compressed
	check 'and are what they were' all_right
	check 'a packed program runs' runs
	check 'what is packed is written and cut like anything' written
	check 'an equal file comes to lie in the same packs' equal_one
	check 'packs that are hardly used are written anew' collected
	check 'daemons that are killed meanwhile' killed_meanwhile
	check 'a bit that changes in a pack fails what is in it, and is found' damaged
	rm $l/killed2
	( cd $l && md5sum $(find . -type f) >/sums && cp /sums sums )
	sync
	# files that are being packed when the machine ends
	for i in 1 2 3; do numbers $((i + 4)) >$l/late$i; done
	sync
	sleep 7
}

again() {
	check 'the daemon starts again' start
	check 'the lake is there after the machine ended' mount.lakefs $dev $l
	sums() { ( cd $l && grep -v '/sums' sums | md5sum -c ) >&2 && for i in 1 2 3; do numbers $((i + 4)) | cmp - $l/late$i || return 1; done; }
	check 'every file is what it was' sums
	check 'it is sound while it is mounted' lakectl verify $dev
	check 'it unmounts' umount $l
	check 'it is sound' lakectl verify --full $dev
}

"$1"
