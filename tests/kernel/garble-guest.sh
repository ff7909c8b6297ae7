#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# lakefs.ko with a daemon that lies (fakelaked --garble): errors are fine; a
# fault of the kernel (qemu/vm sees those), a hang or a loop is not.
# SEEDS says how many different liars.
here=$(dirname "$0")
PATH=$here:$PATH
image=/tmp/lake.img
dev=/dev/loop0
lake=/mnt/lake
mkdir -p $lake
modprobe -q libcrc32c
modprobe -q zstd_decompress
modprobe -q loop
insmod "$here/lakefs.ko" || exit 1

result() { # STATUS NAME
	if [ "$1" = 0 ]; then echo "pass $2"; else echo "fail $2"; fi
}

daemon() { # ARG...
	fakelaked run --log /tmp/log "$@" 2>>/tmp/daemon.log &
	daemon=$!
}

stop_daemon() {
	kill $daemon 2>/dev/null
	wait $daemon 2>/dev/null
}

# an honest tree
grow() {
	mkdir $lake/a $lake/a/b $lake/c
	i=0
	while [ $i -lt 40 ]; do
		echo "file $i" >$lake/a/f$i
		ln $lake/a/f$i $lake/c/l$i
		ln -s ../a/f$i $lake/a/b/s$i
		i=$((i + 1))
	done
	mknod $lake/c/null c 1 3
	mkfifo $lake/c/fifo
	head -c 300000 /dev/urandom >$lake/c/data
	vfstest $lake xattr_many acl_default >/dev/null 2>&1
	setfattr -n user.x -v y $lake/a/f1 2>/dev/null
	sync
}

# everything that asks the daemon, over and over; no answer is believed
use() {
	while :; do
		ls -lR $lake
		find $lake -type f | head -20 | xargs cat | wc -c
		vfstest $lake
		find $lake -exec stat {} +
		rm -rf $lake/a/b
		echo 2 >/proc/sys/vm/drop_caches
	done >/dev/null 2>&1
}

# Killing use() leaves its last child, which would use the next mount too.
leave() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		killall -9 vfstest ls find xargs stat rm 2>/dev/null
		umount $lake 2>/dev/null && return 0
		sleep 1
	done
	return 1
}

seed=0
while [ $seed -lt "${SEEDS:-6}" ]; do
	seed=$((seed + 1))
	rm -f $image /tmp/log
	fakelaked mkfs $image 268435456 >/dev/null && losetup $dev $image
	daemon
	timeout 60 mount -t lakefs $dev $lake || { result 1 "garble $seed: mount"; exit 1; }
	grow
	leave || { result 1 "garble $seed: unmount of an honest lake"; exit 1; }
	stop_daemon
	daemon --garble $seed
	if timeout 60 mount -t lakefs $dev $lake; then
		use & user=$!
		sleep "${SECONDS_EACH:-20}"
		echo 1 >/sys/fs/lakefs/loop0/shutdown
		kill $user
		wait $user
		leave
		! grep -q " $lake " /proc/mounts
		result $? "garble $seed: used, shut down and unmounted"
	else
		result 1 "garble $seed: second mount"
	fi
	stop_daemon
	losetup -d $dev
done
dmesg | grep -c 'lakefs' >&2
rmmod lakefs
result $? 'the module unloads after all liars'
