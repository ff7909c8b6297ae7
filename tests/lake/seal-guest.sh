#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon, which seals after one second:
# files are sealed and checked, written again, and outlive the daemon and the
# machine. /dev/vda: empty at first. `first` leaves the lake mounted when the
# machine ends, `again` is the boot after it. Prints `pass NAME` / `fail NAME`.
. /lib.sh

# Every block in use becomes checked, within minutes.
all_checked() { within 240 all_checked_now; }
all_checked_now() {
	used=$(du -sk $l | cut -f1)
	checked=$(counter checked_blocks)
	[ $((${checked:-0} * 4)) -ge $((used - 4)) ] && [ "${checked:-0}" -gt 0 ]
}

same() { # every file is its copy in memory, from the device
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for f in /model/*; do
		cmp "$f" $l/"${f##*/}" || return 1
	done
}

rewrite() { # FILE KIB-OFFSET KIB: in both
	head -c $(($3 * 1024)) /dev/urandom >/tmp/piece
	for to in /model/$1 $l/$1; do
		dd if=/tmp/piece of=$to bs=1k seek=$2 conv=notrunc 2>/dev/null || return 1
	done
}

# A file that somebody reads, whose memory does not come, when it is to be sealed:
# the freeze has to get what the sealing needs, too.
held_up() {
	cp /model/large $l/read
	sync $l/read
	/stalled reading $l/read >/tmp/reading & reader=$!
	for i in $(seq 50); do
		grep -q reads /tmp/reading && break
		kill -0 $reader 2>/dev/null || break
		usleep 100000
	done
	if ! grep -q reads /tmp/reading; then
		wait $reader
		[ $? = 77 ]
		return
	fi
	sleep 4
	( fsfreeze --freeze $l && fsfreeze --unfreeze $l && touch /tmp/froze ) & freezer=$!
	for i in $(seq 200); do
		[ -e /tmp/froze ] && break
		usleep 100000
	done
	[ -e /tmp/froze ]
	status=$?
	kill -9 $reader
	wait $reader $freezer
	rm $l/read
	return $status
}

first() {
	check 'the daemon starts' start
	check 'mkfs' lakectl mkfs /dev/vda
	check 'it mounts' mount.lakefs /dev/vda $l
	mkdir /model
	head -c 5000001 /dev/urandom >/model/large
	for i in $(seq 20); do head -c $((i * 700)) /dev/urandom >/model/small$i; done
	cp /model/* $l/
	# more than the kernel tells the daemon at once: a checksum that nobody took back is damage
	check 'a file is written again at random' \
		sh -c "for to in /model $l; do /scatter \$to/scattered 3000 4500 || exit 1; done"
	# where the inode leaves memory with what the failed write has left
	check 'a write fails, a direct one does not' \
		sh -c "/stale $l/stale && sync && echo 2 >/proc/sys/vm/drop_caches"
	cp $l/stale /model/
	sync
	check 'files that are quiet become checked' all_checked
	check 'stats tells how much' sh -c "lakectl stats $l | grep -q 'checked on every read'"
	check 'they read as they were written' same
	check 'a program that holds up the sealing of its file holds up nothing else' held_up

	check 'they can be written again' rewrite large 1000 300
	check 'also in the middle of a block' rewrite large 2001 3
	check 'and small ones' rewrite small9 1 2
	check 'what was written is there' same
	check 'and becomes checked too' all_checked
	check 'and reads as it was written' same
	truncate -s 3000001 /model/large $l/large
	check 'cut in the middle of a checked block' same
	truncate -s 4000000 /model/large $l/large
	check 'and longer again, with zeroes' same

	for i in $(seq 8); do
		rewrite large $((i * 300)) 200
		kill -9 $(laked)
		rewrite small$i 0 1
		sleep 1
	done
	check 'daemons that are killed meanwhile' same
	check 'the next one goes on with it' all_checked
	check 'and all is what was written' same
	for f in /model/*; do md5sum <"$f" | cut -d' ' -f1 >$l/sum."${f##*/}"; done
	sync
	rewrite large 0 100
	rm $l/sum.large
	md5sum </model/large | cut -d' ' -f1 >$l/sum.large
	sync
}

again() {
	check 'the daemon starts again' start
	check 'the lake is there after the machine ended' mount.lakefs /dev/vda $l
	sums() {
		for f in $l/sum.*; do
			[ "$(md5sum <$l/"${f##*/sum.}" | cut -d' ' -f1)" = "$(cat $f)" ] || return 1
		done
	}
	check 'with everything in it' sums
	check 'and all of it becomes checked' all_checked
	echo 3 >/proc/sys/vm/drop_caches
	check 'and reads as it was' sums
	check 'it unmounts' umount $l
	check 'and is sound, every block of it' lakectl verify --full /dev/vda
	check 'verify reads what is checked' sh -c "lakectl verify --full --json /dev/vda | tr ',' '\n' | grep blocks_read | grep -qv '[: ]0$'"
}

"$1"
