#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In a busybox guest of little memory, with the real daemon: programs write,
# read and check their files while a hog takes what memory there is; for some
# time the daemon is stopped, for some time it is dead. The kernel must go on
# finding memory then, and nobody may be killed for it.
# /dev/vda: empty, 1 GiB. For `long` also /dev/vdb: a tar; /t/sums: its files'
# sums; /t/src: sources to compile.
# Usage: memory-guest.sh STOPPED_S DEAD_S ROUNDS (of untar and compile, 0: none)
# Prints `pass NAME` / `fail NAME`.
stopped=$1 dead=$2 rounds=$3
l=/lake
mkdir -p $l

result() { # STATUS NAME
	if [ "$1" = 0 ]; then echo "pass memory: $2"; else echo "fail memory: $2"; fi
}

check() { # NAME CMD...
	name=$1
	shift
	"$@" >/tmp/check.log 2>&1
	status=$?
	cat /tmp/check.log >&2
	result $status "$name"
}

laked() { pidof laked | cut -d' ' -f1; }
launcher() { cat /run/deeplake/launcher.lock; }

# Copies of the daemon's own files, compared and deleted again.
stir() {
	while [ ! -e /tmp/stop ]; do
		cp -r /opt/deeplake/usr/lib/deeplake $l/copy &&
			diff -r /opt/deeplake/usr/lib/deeplake $l/copy &&
			rm -r $l/copy || return 1
	done
}

# caches_drop: page cache and every inode and name that nobody uses
caches_drop() {
	echo 3 >/proc/sys/vm/drop_caches &
	job=$!
	tries=0
	while [ -d /proc/$job ]; do
		usleep 100000
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
	done
}

# pressure SECONDS: the hog makes headway, and the caches can be dropped
pressure() {
	/t/hog --leave 32 --seconds "$1" --least 150 --stall-ms 10000 &&
		caches_drop
}

# What is dirty when the daemon goes, and what the hog then wants.
no_daemon() {
	[ "$(cat /sys/fs/lakefs/vda/state)" != running ]
}

with_stopped_daemon() { # SECONDS
	pid=$(laked)
	kill -STOP "$pid" || return 1
	pressure "$1"
	status=$?
	kill -CONT "$pid"
	return $status
}

with_dead_daemon() { # SECONDS
	kill -STOP "$(launcher)" && kill -9 "$(laked)" || return 1
	sleep 1
	no_daemon && pressure "$1" && no_daemon
	status=$?
	kill -CONT "$(launcher)"
	return $status
}

untar() {
	rm -rf $l/tree
	mkdir $l/tree && tar -xf /dev/vdb -C $l/tree &&
		(cd $l/tree && md5sum -c /t/sums >/tmp/sums.log 2>&1) ||
		{ grep -v ': OK$' /tmp/sums.log | head; return 1; }
}

compile() { # the same objects each time
	rm -rf $l/src
	cp -r /t/src $l/src && cd $l/src &&
		gcc --sysroot=/tools -O2 -D_GNU_SOURCE -std=gnu17 -c ./*.c &&
		cat ./*.o | md5sum >/tmp/objects.new
	status=$?
	cd /
	[ $status = 0 ] || return 1
	[ -e /tmp/objects ] || cp /tmp/objects.new /tmp/objects
	cmp /tmp/objects /tmp/objects.new
}

lakectl mkfs /dev/vda >&2 && mount.lakefs /dev/vda $l || exit 1
grep MemTotal /proc/meminfo >&2
/t/lakecrash load --dir $l --seed 1 --streams 3 --seconds 100000 \
	--stop /tmp/stop --result /tmp/acks >&2 &
load=$!
stir >&2 &
stir=$!
check 'pressure while the daemon serves' /t/hog --leave 48 --seconds 8 --least 150
check "the daemon stopped for $stopped s: memory is found" with_stopped_daemon "$stopped"
check 'and programs go on' sync -f $l
check "the daemon dead for $dead s: memory is found" with_dead_daemon "$dead"
check 'and programs go on behind that' sync -f $l

if [ "$rounds" -gt 0 ]; then
	# the compiler needs more than the hog likes to leave to others
	/t/hog --leave 110 --seconds 100000 --until /tmp/hog-stop >&2 &
	hog=$!
	for i in $(seq "$rounds"); do
		check "untar $i" untar
		check "compile $i" compile
		kill -9 "$(laked)"
	done
	touch /tmp/hog-stop
	wait $hog
	result $? 'the hog ends well'
	# the check below knows the load's names only
	check 'what was made is removed' rm -r $l/tree $l/src
fi

touch /tmp/stop
wait $load
result $? 'the load saw no error'
wait $stir
result $? 'copies are equal'
check 'nobody was killed for memory' sh -c \
	"! dmesg | grep -i 'out of memory\|oom-kill\|oom_reaper'"
umount $l && mount.lakefs /dev/vda $l
result $? 'it is mounted anew'
check 'all data is there' /t/lakecrash check --dir $l --seed 1 --streams 3 \
	--acks /tmp/acks --synced
umount $l
result $? 'it unmounts'
check 'it is sound' lakectl verify --full /dev/vda
