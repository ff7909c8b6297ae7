#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon, which seals after one second and
# packs after as long; /dev/vda is empty. Prints `pass NAME` / `fail NAME`.
#   lake-guest.sh races SECONDS SEED    files are rewritten while they are
#                                       sealed, shared, packed and collected
#   lake-guest.sh flips COUNT SEED      bits change beneath
#   lake-guest.sh full ROUNDS SEED      ten writers fill it, half is deleted
#   lake-guest.sh written MIB SEED      what a new file costs the device, until
#                                       all is quiet; the lake may be there
. /lib.sh
what=$1
shift
[ "$what" = written ] || serve="--pack-after 1"
dev=/dev/vda

collect() { while sleep 2; do lakectl gc --all $l; done; }

numbers() {
	look
	for of in sealed checked shared packed pack used; do
		echo "${of}_blocks $(counter ${of}_blocks)"
	done
	echo "packs opened: $(cat /sys/fs/lakefs/*/packed_reads)"
}

# racing SECONDS SEED: the daemon is killed, too, whenever it has served for a
# minute and a half
racing() {
	collect >/tmp/gc.log 2>&1 &
	collector=$!
	( while sleep 90; do
		kill -9 $(laked)
		until lakectl stats $l >/dev/null 2>&1; do sleep 2; done
	done ) &
	killer=$!
	/races $l/files "$1" "$2" >/tmp/races
	status=$?
	kill $collector $killer
	cat /tmp/races
	return $status
}

happened() {
	numbers
	sort /tmp/gc.log | uniq -c | sort -rn | head -n 20
	grep -v 'compressed 0 B' /tmp/gc.log | grep -q compressed &&
		[ "$(counter shared_blocks)" -gt 0 ]
}

races() {
	mkdir $l/files
	check "no wrong byte in $1 s of writing what is sealed, shared, packed, collected" racing "$1" "$2"
	cat /tmp/races
	check 'all of that happened' happened
	cat /tmp/check.log
}

# As much as it becomes: files in pairs are shared, a part of them packed.
settle() {
	/flips make $l/files || return 1
	sync
	sleep 20
	within 300 shared_all || return 1
	lakectl gc --all $l
	for i in 03 13 23 33 43 53; do
		cat $l/files/$i >/tmp/again && rm $l/files/$i && cp /tmp/again $l/files/$i
	done
	sync
	sleep 30
	numbers
}
shared_all() { [ "$(counter objects)" -ge 60 ]; }

flips() {
	mkdir $l/files
	check 'files are sealed, shared and packed' settle
	cat /tmp/check.log
	check "$1 bits: no wrong byte, and exactly those fail that have it" /flips turn $l/files $dev "$1" "$2"
	cat /tmp/check.log
	/flips leave $l/files $dev 40 "$2" >/tmp/left
	umount $l
	lakectl verify --full $dev >/tmp/verify 2>&1
	grep -o '/files/[0-9]*' /tmp/verify | sed 's,.*/,,' | sort -u >/tmp/named
	check 'verify names each file that has a damaged block, and no other' cmp /tmp/left /tmp/named
	cat /tmp/check.log
}

full() {
	mkdir $l/files
	check "ten writers, $1 rounds: each is told ENOSPC, what is deleted can be used, no byte is wrong" /full $l/files "$1" 10 "$2"
	cat /tmp/check.log
	numbers
	check 'and a name on a full device' mkdir $l/folder
}

sectors() { awk '{ print $7 }' /sys/block/${dev#/dev/}/stat; }

# quiet SECONDS: nothing was written for so long
quiet() {
	last=$(sectors) since=$(date +%s)
	while [ $(($(date +%s) - since)) -lt "$1" ]; do
		sleep 1
		[ "$(sectors)" = "$last" ] || { last=$(sectors) since=$(date +%s); }
	done
}

checked_all() { [ "$(counter checked_blocks)" -ge "$target" ]; }

# what a file costs until its blocks are checked and nothing is written for a minute
costs() {
	quiet 10
	look
	target=$(($(counter checked_blocks) + $1 * 256)) before=$(sectors)
	dd if=/dev/urandom of=$l/new bs=1M count="$1" 2>/dev/null || return 1
	sync
	at_once=$(($(sectors) - before))
	within 1800 checked_all || return 1
	quiet 70
	all=$(($(sectors) - before))
	echo "$1 MiB: $((at_once / 2048)) MiB when it was synced, $((all / 2048)) MiB in the end: $((all * 1000 / ($1 * 2048))) thousandths"
	[ $((all * 100)) -le $(($1 * 2048 * 115)) ]
}

written() {
	check 'at most 1.15 bytes for each' costs "$1"
	cat /tmp/check.log
	numbers
}

check 'the daemon starts' start
if [ "$what" = written ] && lakectl stats $dev >/dev/null 2>&1; then
	echo 'a lake that was there'
	is_there=1
else
	is_there=
	check 'mkfs' lakectl mkfs $dev
fi
check 'it mounts' mount.lakefs $dev $l
"$what" "$@"
if [ "$what" != flips ]; then
	check 'it unmounts' umount $l
	# (the structure of millions takes an hour here)
	[ -n "$is_there" ] || check 'it is sound' lakectl verify --full $dev
fi
