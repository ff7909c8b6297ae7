#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon and launcher: the three ways of
# FS_IOC_SHUTDOWN, what others than root may ask, mounts that write nothing, and a
# daemon that dies again and again. /dev/vda: empty. Prints `pass NAME` / `fail NAME`.
. /lib.sh
sys=/sys/fs/lakefs/vda

fails_with() { # TEXT CMD...
	text=$1
	shift
	if "$@" >/tmp/fails.log 2>&1; then return 1; fi
	cat /tmp/fails.log
	grep -qi "$text" /tmp/fails.log
}

lakectl mkfs /dev/vda >&2 && mount.lakefs /dev/vda $l || exit 1

# ---- others than root ----------------------------------------------------------
check 'the control socket tells others EPERM' \
	fails_with 'EPERM' su nobody -c "lakectl stats $l"
check 'and answers root' lakectl stats $l
check 'others cannot open the device of the ring' \
	fails_with 'denied' su nobody -c 'cat /dev/lakefs'

# ---- a superblock that is damaged while the lake is mounted --------------------
damage() {
	dd if=/dev/zero of=/dev/vda bs=4096 seek=1 count=1 conv=fsync 2>&1 &&
		lakectl stats $l | grep 'note .*copy A is damaged, at byte 4096'
}
check 'stats tell of a superblock copy that is damaged' damage
check 'and verify' sh -c "lakectl verify $l | grep 'copy A is damaged'"
check 'the next mount' sh -c "umount $l && mount.lakefs /dev/vda $l"
check 'writes it anew' sh -c "! lakectl stats $l | grep note"

# ---- FS_IOC_SHUTDOWN -----------------------------------------------------------
down() { # MODE: with a file made just before; the lake is mounted again
	echo "$1" >$l/before-$1
	for i in $(seq 50); do mkdir $l/dir-$1-$i; done
	/goingdown "$1" $l || return 1
	if touch $l/after-$1 2>/dev/null; then return 1; fi
	umount $l && mount.lakefs /dev/vda $l
}
check 'shutdown 0' down 0
check 'leaves everything on the device' sh -c \
	"[ \$(cat $l/before-0) = 0 ] && [ -d $l/dir-0-50 ]"
check 'shutdown 1' down 1
check 'leaves what was recorded' [ -d $l/dir-1-50 ]
check 'shutdown 2' down 2
check 'a wrong way is refused' fails_with 'invalid' /goingdown 3 $l
check 'none of them leaves what came after' sh -c "! ls $l/after-*"

# ---- beside a write that does not get on ------------------------------------------
# what is durable is what is there after a shutdown that leaves the rest
durable_size() { # WAY SIZE: of its file, once all that was not durable is gone
	/stalled "$1" "$l/$1"
	case $? in
	0) ;;
	77) return 0 ;;	# the kernel has no such thing
	*) return 1 ;;
	esac
	/goingdown 2 $l && umount $l && mount.lakefs /dev/vda $l &&
		[ "$(stat -c %s "$l/$1")" = "$2" ]
}
check 'fsync: what lies behind a write that has only begun is there' durable_size held 8192001
check 'fsync: what follows a page whose memory failed is there' durable_size poisoned 4097
direct_beside_page() {
	/stalled both $l/both || [ $? = 77 ] || return 1
	umount $l && lakectl verify --full /dev/vda
	status=$?
	mount.lakefs /dev/vda $l && return $status
}
check 'no checksum of a page is that of a direct write beside it' direct_beside_page

# whoever is killed while the daemon gives it blocks has them back
killed_while_it_waits() {
	sync
	before=$(stat -f -c %f $l)
	for i in 1 2 3; do
		: >$l/killed
		kill -STOP $(laked)
		fallocate -l $((40 << 20)) $l/killed & pid=$!
		sleep 1
		kill -9 $pid
		kill -CONT $(laked)
		wait $pid
		sleep 1
		rm -f $l/killed
		sync
		sleep 1
	done
	echo "$before before, $(stat -f -c %f $l) after"
	[ $(($(stat -f -c %f $l) + 256)) -ge "$before" ] &&
		fallocate -l $((before * 4096 / 10 * 9)) $l/killed && rm $l/killed
}
check 'room that a killed program asked for is free again' killed_while_it_waits

# ---- times that wait in memory ----------------------------------------------------
# Another attribute takes them along: what was recorded has them, too.
lazy_times() {
	mount -o remount,lazytime $l || return 1
	echo x >$l/lazy
	sync
	sleep 1.1
	cat $l/lazy		# later than it was written: that is noted
	seen=$(stat -c %X $l/lazy)
	[ "$seen" -gt "$(stat -c %Y $l/lazy)" ] || return 1
	chmod 600 $l/lazy
	/goingdown 1 $l || return 1
	umount $l && mount.lakefs /dev/vda $l || return 1
	echo "$seen $(stat -c '%X %a' $l/lazy)"
	[ "$(stat -c '%X %a' $l/lazy)" = "$seen 600" ]
}
check 'a mode that is recorded takes the lazy times along' lazy_times

# ---- a device that is taken away --------------------------------------------------
taken_away() {
	mkdir /second
	lakectl mkfs /dev/vdb && mount.lakefs /dev/vdb /second || return 1
	echo x >/second/f
	sync
	cat /second/f || return 1
	device=$(readlink -f /sys/block/vdb/device/..)
	echo 1 >"$device/remove"
	if cat /second/f; then return 1; fi
	cat /sys/fs/lakefs/vdb/state
	grep -q '^shutdown: the device is gone' /sys/fs/lakefs/vdb/state &&
		umount /second
}
case $(uname -r) in
6.1.*) ;;	# tells no file system of it
*) check 'of a device that is taken away nothing is read any more' taken_away ;;
esac

# ---- a mount that writes nothing ----------------------------------------------------
sum() { md5sum /dev/vda; }
without_daemon() { # once: another takes over
	kill -9 $(laked) && echo 3 >/proc/sys/vm/drop_caches && cat $l/late
}
norecovery() {
	[ "$(cat $l/late)" = late ] && grep " $l lakefs ro,.*norecovery" /proc/mounts &&
		lakectl stats $l && lakectl verify $l && [ "$(without_daemon)" = late ] &&
		fails_with 'read-only' touch $l/x && mount.lakefs /dev/vda $l -o remount,noexec &&
		refused 32 'mounted norecovery: unmount' mount.lakefs /dev/vda $l -o remount,rw &&
		mount.lakefs /dev/vda $l -o remount,ro,norecovery
}
echo late >$l/late
sync
/goingdown 2 $l
umount $l
before=$(sum)
check 'norecovery is for reading only' refused 32 'read-only mounts: add ro' mount.lakefs /dev/vda $l -o norecovery
check 'a lake that was not unmounted is mounted with it' mount.lakefs /dev/vda $l -o ro,norecovery
check 'shows what its log holds, whatever daemon serves it' norecovery
check 'it unmounts, and the device is as it was' sh -c "umount $l && [ '$before' = \"\$(md5sum /dev/vda)\" ]"
check 'it mounts without' mount.lakefs /dev/vda $l
check 'a remount does not begin with it' refused 32 'is for a new mount' mount.lakefs /dev/vda $l -o remount,ro,norecovery
check 'and has not changed' touch $l/late
mkdir -p /again
check 'a lake that is mounted without it cannot be mounted with it' sh -c "
	umount $l && mount.lakefs /dev/vda $l -o ro && . /lib.sh &&
	refused 32 'mounted already, without norecovery' mount.lakefs /dev/vda /again -o ro,norecovery &&
	mount.lakefs /dev/vda /again -o ro && umount /again"

# a mount that only reads has nothing that it would have to write
read_without_daemon() {
	[ "$(without_daemon)" = late ] && ! grep shutdown $sys/state && umount $l
}
check 'a device that turns read-only goes on being read' sh -c "blockdev --setro /dev/vda && cat $l/late"
check 'with another daemon, too' read_without_daemon
check 'it can be mounted to write afterwards' sh -c "blockdev --setrw /dev/vda && mount.lakefs /dev/vda $l && touch $l/late"

# what a successor could only keep in memory would be lost, and be said to be durable
turns_read_only() {
	blockdev --setro /dev/vda
	kill -9 $(laked)
	within_state 'read-only' && fails_with 'i.*/o.* error' sh -c "echo x >$l/lost && sync $l/lost"
}
within_state() { # TEXT: the mount ends so, in 30 s
	for i in $(seq 300); do
		if grep "^shutdown:.*$1" $sys/state; then return 0; fi
		sleep 0.1
	done
	cat $sys/state
	return 1
}
check 'a daemon that cannot write to a mount for writing ends it' turns_read_only
check 'it can be mounted when it can be written again' \
	sh -c "umount $l && blockdev --setrw /dev/vda && mount.lakefs /dev/vda $l && cat $l/late"

# ---- a daemon that dies at one place ---------------------------------------------
dies_again_and_again() {
	touch $l/kept
	sync
	tries=0
	until grep -q '^shutdown: laked died 8 times' $sys/state; do
		for pid in $(laked); do kill -ABRT "$pid"; done
		sleep 0.3
		tries=$((tries + 1))
		[ $tries -lt 400 ] || return 1
	done
	cat $sys/state
}
check 'eight deaths at one seq shut the mount down' dies_again_and_again
check 'the state says how it died' grep -q 'at seq [0-9]*: .*signal 6' $sys/state
check 'programs get an error' fails_with 'i.*/o.* error' mkdir $l/new
check 'it unmounts' umount $l
check 'and can be mounted again' mount.lakefs /dev/vda $l
check 'with everything in it' [ -e $l/kept ]
check 'it unmounts again' umount $l
check 'and is sound' lakectl verify --full /dev/vda
