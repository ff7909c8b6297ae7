#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# lakefs.ko with peers that mean no good (tests/kernel/hostile): ioctls by root
# and by a user, netlink, a daemon that only pretends, superblocks that lie.
# Errors are fine; a fault of the kernel (qemu/vm sees those), a hang, a mount
# that a user could end, or a module that cannot be unloaded is not.
# SEED is the first of SEEDS seeds.
here=$(dirname "$0")
PATH=$here:$PATH
image=/tmp/lake.img
dev=/dev/loop0
lake=/mnt/lake
sys=/sys/fs/lakefs/loop0
nobody=65534
mkdir -p $lake
modprobe -q libcrc32c
modprobe -q zstd_decompress
modprobe -q loop
insmod "$here/lakefs.ko" || exit 1

result() { # STATUS NAME
	if [ "$1" = 0 ]; then echo "pass $2"; else echo "fail $2"; fi
}

fresh() {
	losetup -d $dev 2>/dev/null
	rm -f $image /tmp/log
	fakelaked mkfs $image 268435456 >/dev/null && losetup $dev $image
}

daemon() { # ARG...
	fakelaked run --log /tmp/log "$@" 2>>/tmp/daemon.log &
	daemon=$!
}

stop_daemon() {
	kill $daemon 2>/dev/null
	wait $daemon 2>/dev/null
}

mounted() {
	grep -q " $lake lakefs " /proc/mounts
}

# whatever state it is in, it must come off
leave() {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		mounted || return 0
		umount $lake 2>/dev/null && return 0
		[ ! -e $sys/shutdown ] || echo 1 >$sys/shutdown
		usleep 500000
	done
	return 1
}

# still a file system that takes and gives
works() {
	echo "alive $1" >$lake/alive.$1 && timeout 30 sync &&
		[ "$(cat $lake/alive.$1)" = "alive $1" ] && rm $lake/alive.$1
}

ioctls() { # SEED
	mkdir -p $lake/d $lake/d/e
	for i in 0 1 2 3; do
		head -c 100000 /dev/urandom >$lake/f$i
		chmod 666 $lake/f$i
	done
	set -- "$1" $lake $lake/d $lake/d/e $lake/f0 $lake/f1 $lake/f2 $lake/f3
	seed=$1
	shift
	timeout 60 hostile ioctls $seed "$ROUNDS" 0 /dev/lakefs "$@" & root=$!
	timeout 60 hostile ioctls $seed$seed "$ROUNDS" $nobody /dev/lakefs "$@"
	result $? "hostile $seed: ioctls of a user"
	wait $root
	result $? "hostile $seed: ioctls of root"
	works $seed
	result $? "hostile $seed: the mount is alive after all ioctls"
}

netlink() { # SEED
	timeout 60 hostile netlink "$1" "$ROUNDS" $nobody & user=$!
	timeout 60 hostile netlink "$1$1" "$ROUNDS" 0
	result $? "hostile $1: netlink messages of root"
	wait $user
	result $? "hostile $1: netlink messages of a user"
	rm -f /tmp/event
	hostile netlink "$1" 0 listen >/tmp/event & listener=$!
	for i in $(seq 100); do
		grep -q listening /tmp/event && break
		usleep 50000
	done
	leave
	wait $listener
	result $? "hostile $1: events still reach a listener"
}

# it may even answer MOUNT: then its lies are used for a while
pretender() { # SEED
	fresh
	timeout 100 hostile daemon "$1" 6 >/tmp/attached & liar=$!
	for i in 1 2 3; do
		timeout 6 mount -t lakefs $dev $lake 2>/dev/null || continue
		(timeout 6 ls -lR $lake
		timeout 6 touch $lake/x
		timeout 6 stat -f $lake
		timeout 6 cat $lake/*) >/dev/null 2>&1
		leave || break
	done
	kill $liar 2>/dev/null
	wait $liar
	# the mount that waits for a daemon ends by itself: its program was killed
	leave
	result $? "hostile $1: a daemon that only pretends"
	read n </tmp/attached
	echo "hostile $1: attached ${n:-?} times" >&2
}

superblocks() { # SEED
	stop_daemon
	daemon
	n=0 taken=0
	while [ $n -lt "$IMAGES" ]; do
		n=$((n + 1))
		fresh
		losetup -d $dev
		hostile image "$1" $n $image super || break
		losetup $dev $image
		if timeout 5 mount -t lakefs $dev $lake 2>/dev/null; then
			taken=$((taken + 1))
			(timeout 5 ls -l $lake
			timeout 5 touch $lake/x
			timeout 5 sync) >/dev/null 2>&1
		fi
		if ! leave; then
			result 1 "hostile $1: superblock $n comes off again"
			return
		fi
	done
	echo "hostile $1: $taken of $n superblocks were mounted" >&2
	[ $n = "$IMAGES" ] && [ $taken -lt $n ]
	result $? "hostile $1: superblocks that lie"
}

seed=${SEED:-1}
last=$((seed + ${SEEDS:-1}))
while [ $seed -lt $last ]; do
	fresh
	daemon
	timeout 60 mount -t lakefs $dev $lake
	result $? "hostile $seed: mount"
	ioctls $seed
	netlink $seed
	stop_daemon
	pretender $seed
	superblocks $seed
	stop_daemon
	seed=$((seed + 1))
done
losetup -d $dev 2>/dev/null
rmmod lakefs
result $? 'hostile: the module unloads'
