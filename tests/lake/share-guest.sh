#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon, which seals after one second:
# equal files come to share their blocks, keep their bytes whatever is written
# meanwhile, and outlive the daemon and the machine. /dev/vda: empty at first.
# `first` leaves the lake mounted when the machine ends, `again` is the boot
# after it. SHARE_MIB: size of the large file. Prints `pass NAME` / `fail NAME`.
. /lib.sh
mib=${SHARE_MIB:-12}


# saved at least that many blocks, within minutes
saved() { within $((240 + 4 * mib)) saved_now $(($1)); }
saved_now() { [ "$(counter saved_blocks)" -ge "$1" ]; }

same_as() { # MODEL FILE...: from the device
	model=$1
	shift
	from_device
	for f; do
		cmp "$model" "$f" || return 1
	done
}

noise() { # FILE MIB: random bytes, made quickly in an emulated guest
	head -c 1048576 /dev/urandom >/tmp/seed
	for i in $(seq "$2"); do
		echo "$i $RANDOM $1"
		tail -c +$((i * 37 % 4000)) /tmp/seed | head -c 1044480
	done >"$1"
}

# The second copy of a file: what it takes of the device after a while.
copy_costs_nothing() {
	noise $l/large "$mib"
	sync
	before=$(used_kib)
	cp $l/large $l/copy
	sync
	full=$(used_kib)
	saved "$(stat -c %b $l/large) / 8"
	status=$?
	sync
	echo "used: $before KiB, with the copy $full, after sharing $(used_kib)" >&2
	[ $status = 0 ] && [ $((full - before)) -ge $((mib * 1000)) ] &&
		[ $(($(used_kib) - before)) -lt 1024 ]
}

small_files_share() {
	look
	base=$(counter saved_blocks)
	mkdir $l/a $l/b
	for i in $(seq 30); do
		head -c $((i * 900)) /dev/urandom >$l/a/$i
		cp $l/a/$i $l/b/$i
	done
	# what fits into a block is one block, too
	blocks=$(du -sk $l/b/* | awk '{ n += $1 } END { print int(n / 4) }')
	saved "$base + $blocks"
}

# One of several twins is written in place all the time while they are sealed
# and shared; its model is in memory, the others must stay what they were.
written_meanwhile() {
	head -c 3000000 /dev/urandom >/model
	for i in 1 2 3 4; do
		cp /model $l/twin$i
	done
	cp /model /mine
	end=$(($(date +%s) + 15)) n=0
	while [ "$(date +%s)" -lt $end ]; do
		n=$((n + 1))
		at=$((n * 7919 % 2990)) size=$((n % 9 + 1))
		head -c $((size * 1024)) /dev/urandom >/tmp/piece
		dd if=/tmp/piece of=$l/twin4 bs=1k seek=$at conv=notrunc 2>/dev/null
		dd if=/tmp/piece of=/mine bs=1k seek=$at conv=notrunc 2>/dev/null
		# back to what it was, so that it becomes their twin again
		if [ $((n % 40)) = 0 ]; then
			cp /model $l/twin4
			cp /model /mine
			sleep 3
		fi
		[ $((n % 13)) != 0 ] || cmp /mine $l/twin4 || return 1
		[ $((n % 29)) != 0 ] || cmp /model $l/twin2 || return 1
	done
	echo "$n writes" >&2
	same_as /mine $l/twin4 && same_as /model $l/twin1 $l/twin2 $l/twin3
}

killed_meanwhile() {
	for i in 1 2 3 4; do
		rm -f $l/twin1 $l/twin3
		cp /model $l/twin1
		cp /model $l/twin3
		sync
		sleep 0.$((i * 37 % 10))
		sleep $((i % 4))
		kill -9 $(laked)
		cmp /model $l/twin1 || return 1
	done
	same_as /model $l/twin1 $l/twin2 $l/twin3
}

gone_and_kept() {
	md5sum <$l/large >/tmp/sum
	rm $l/large
	from_device
	[ "$(md5sum <$l/copy)" = "$(cat /tmp/sum)" ] || return 1
	mv $l/copy $l/large
	cp $l/large $l/other
	truncate -s 1234567 $l/other
	head -c 1234567 $l/large | cmp - $l/other
}

first() {
	check 'the daemon starts' start
	check 'mkfs' lakectl mkfs /dev/vda
	check 'it mounts' mount.lakefs /dev/vda $l
	check "a copy of $mib MiB takes less than one, after a while" copy_costs_nothing
	check 'and is what it was' same_as $l/large $l/copy
	check 'small files share, too' small_files_share
	check 'a twin that is written meanwhile' written_meanwhile
	check 'daemons that are killed meanwhile' killed_meanwhile
	check 'the next one goes on with it' saved "$(stat -c %b $l/large) / 8 + 732"
	check 'what loses one of its names keeps its blocks' gone_and_kept
	rm -rf /model /mine
	( cd $l && md5sum large other twin* a/* b/* >sums )
	sync
	# twins that are being found when the machine ends
	cp $l/large $l/late
	for i in $(seq 20); do cp $l/a/20 $l/b/new$i; done
	sync
	sleep 1
}

again() {
	check 'the daemon starts again' start
	check 'the lake is there after the machine ended' mount.lakefs /dev/vda $l
	sums() { ( cd $l && md5sum -c sums ) && cmp $l/large $l/late; }
	check 'with everything in it' sums
	check 'and what was equal becomes shared' saved "$(stat -c %b $l/large) / 8"
	from_device
	check 'and reads as it was' sums
	check 'it unmounts' umount $l
	check 'and is sound, every block of it' lakectl verify --full /dev/vda
}

"$1"
