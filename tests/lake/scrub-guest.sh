#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon, which seals after one second:
# damage beneath the lake is found by the scrub, named by it and by health, and
# met by programs; a pass goes on where it was after a daemon's death, an
# unmount and a reboot. /dev/vda: empty at first. `first` leaves the lake to the
# machine's end, `again` is the boot after it. Prints `pass NAME` / `fail NAME`.
. /lib.sh
dev=/dev/vda

# says STATUS TEXT CMD...: ends with STATUS, and a line of it has TEXT
says() {
	want=$1 text=$2
	shift 2
	"$@" >/tmp/says 2>&1
	got=$?
	cat /tmp/says
	[ $got = "$want" ] && grep -q "$text" /tmp/says
}
also() { grep "$1" /tmp/says; }
but_not() { ! grep "$1" /tmp/says; }

# Checked, all of it, and the twins share.
ready() { within 240 ready_now; }
ready_now() {
	used=$(du -sk $l | cut -f1)
	checked=$(counter checked_blocks)
	[ $((${checked:-0} * 4)) -ge $((used - 4)) ] && [ "$(counter saved_blocks)" -ge 100 ]
}

# What the scrub's JSON says of NAME: the first number.
number() { lakectl scrub status --json $l | tr ',{' '\n\n' | sed -n "s/^\"$1\":\([0-9]*\).*/\1/p" | head -n 1; }
state() { lakectl scrub status --json $l | tr ',{' '\n\n' | sed -n 's/^"state":"\(.*\)"/\1/p' | head -n 1; }

comes() { # SECONDS CMD...
	until_=$(($(date +%s) + $1))
	shift
	while [ "$(date +%s)" -lt $until_ ]; do
		"$@" && return 0
		sleep 1
	done
	return 1
}

eio() { # FILE: its first bytes, then an error, from the device
	echo 3 >/proc/sys/vm/drop_caches
	if cat "$1" >/tmp/read 2>/tmp/read.err; then return 1; fi
	cat /tmp/read.err
	head -c 32768 /tmp/read >/tmp/begin
	head -c 32768 /model/victim | cmp - /tmp/begin && grep -qi 'i.*/o.* error' /tmp/read.err
}

first() {
	check 'the daemon starts' start
	check 'mkfs' lakectl mkfs $dev
	check 'it mounts' mount.lakefs $dev $l
	mkdir /model $l/dir
	head -c 409600 /dev/urandom >/model/victim
	head -c 40000000 /dev/urandom >/model/other
	cp /model/victim $l/dir/victim
	cp /model/victim $l/twin
	cp /model/other $l/other
	sync
	check 'files become checked, and equal ones share' ready
	check 'a lake that was never scrubbed is healthy' says 0 '^/dev/vda: healthy' lakectl health $l
	check 'and says so' also 'scrub *never'
	check 'without a name it is the only one' says 0 '^/dev/vda: healthy' lakectl health
	check 'a scrub of it finds nothing' says 0 'pass 1 done.*, 0 blocks damaged' lakectl scrub --wait $l
	check 'health tells of it' says 0 'pass 1 done' lakectl health $l

	check 'a bit of a block changes beneath' /flip $l/dir/victim 40961 $dev
	check 'the scrub finds it' says 3 '1 block damaged' lakectl scrub --wait $l
	check 'and names the file' also 'damaged: /dir/victim: bytes 40960 to 45055'
	check 'and the one that shares it' also 'damaged: /twin: bytes 40960 to 45055'
	check 'and no other' but_not other
	check 'health says damaged, first of all' says 3 '^/dev/vda: damaged$' lakectl health $l
	check 'names both' sh -c 'grep "damage: /dir/victim: bytes 40960" /tmp/says && grep "damage: /twin:" /tmp/says'
	check 'says what to do' also 'next: copy what can be read'
	check 'and that no program has met it' also 'none has met damaged'
	check 'the log has it' sh -c 'lakectl logs | grep "scrub: inode .*/dir/victim.*bytes 40960"'
	check 'programs get EIO' eio $l/dir/victim
	check 'of the other name of it too' eio $l/twin
	check 'another file is whole' cmp /model/other $l/other
	met() { lakectl health $l | grep '[1-9][0-9]* have met damaged'; }
	check 'health counts what programs met' comes 30 met
	check 'the log names the file' comes 30 sh -c 'lakectl logs | grep "a program has read damaged data: inode .*/dir/victim"'
	lakectl metrics >/tmp/metrics
	check 'so do the metrics' grep 'deeplake_lake_health{.*} 2$' /tmp/metrics
	check 'which count it' grep 'deeplake_lake_scrub_damaged_blocks{.*} 1$' /tmp/metrics
	check 'and the reads' grep 'deeplake_lake_damaged_reads_total{.*} [1-9]' /tmp/metrics
	check 'nobody else may ask' says 1 EPERM su nobody -c "lakectl health $l"
	check 'JSON has the same' sh -c "lakectl health --json $l | grep '\"verdict\":\"damaged\".*\"paths\":\\[\"/dir/victim\"\\]'"
	rm $l/dir/victim
	check 'deleting one leaves the other' says 3 'damage: /twin: bytes 40960' lakectl health $l
	cp /model/victim $l/twin
	sync
	check 'written anew it is sound' cmp /model/victim $l/twin
	check 'and the lake is healthy' says 0 '^/dev/vda: healthy' lakectl health $l

	check 'a slow pass begins' says 0 'pass 3 is under way' lakectl scrub start --rate 1 $l
	moved() { [ "$(number done_bytes)" -gt "${1:-0}" ]; }
	check 'it comes forward' comes 60 moved
	check 'one more is the same one' says 0 'pass 3 was under way' lakectl scrub start --rate 1 $l
	kill -9 $(laked)
	check 'the next daemon goes on with it' comes 60 sh -c "lakectl scrub status $l | grep 'pass 3 .*under way\|pass 3 done'"
	check 'it is done in the end' comes 240 sh -c "lakectl scrub status $l | grep 'pass 3 done.*, 0 blocks damaged'"

	lakectl scrub start --rate 1 $l
	comes 60 moved
	check 'a pass is stopped' says 0 'pass 4 stopped' lakectl scrub stop $l
	at=$(number done_bytes)
	check 'somewhere' [ "$at" -gt 0 ]
	check 'it unmounts' umount $l
	check 'and says of itself where it was' says 0 'pass 4 stopped' lakectl scrub status $dev
	check 'it mounts again' mount.lakefs $dev $l
	check 'the place is kept' [ "$(number done_bytes)" = "$at" ]
	check 'it stays stopped' [ "$(state)" = stopped ]
	check 'and goes on' says 0 'pass 4 is under way' lakectl scrub start --rate 1 $l
	check 'from there' moved $((at - 1))
}

again() {
	check 'the daemon starts again' start
	check 'the lake is there after the machine ended' mount.lakefs $dev $l
	check 'it is healthy' says 0 '^/dev/vda: healthy' lakectl health $l
	check 'the pass goes on by itself' sh -c "lakectl scrub status $l | grep 'pass 4 \(under way\|done\)'"
	check 'to its end' says 0 'pass 4 done' lakectl scrub status --wait $l
	check 'a bit changes' /flip $l/other 3000000 $dev
	check 'it unmounts' umount $l
	check 'a lake that is not mounted is scrubbed at once' says 3 'damaged: /other: bytes 2998272 to 3002367' lakectl scrub $dev
	check 'and has no stop' says 2 'not mounted' lakectl scrub stop $dev
	check 'verify finds the same' says 3 '/other.*2998272' lakectl verify --full $dev
	check 'the structure is sound' lakectl verify $dev
}

"$1"
