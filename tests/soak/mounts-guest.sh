#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest: mounts and unmounts with the real daemon, then loads
# and unloads the module, every tenth time with a mount in between that
# fakelaked serves. /dev/vda, /dev/vdb: empty.
# Usage: mounts-guest.sh MOUNTS LOADS; prints `pass NAME` / `fail NAME`.
mounts=$1 loads=$2
l=/lake
module=$(ls /job/modules/lakefs.ko)
mkdir -p $l

result() { # STATUS NAME
	if [ "$1" = 0 ]; then echo "pass $2"; else echo "fail $2"; fi
}

# Each mount finds what the one before it left, and leaves something.
mount_often() {
	echo 0 >/tmp/count
	i=0
	while [ $i -lt "$mounts" ]; do
		mount.lakefs /dev/vda $l || return 1
		[ $i = 0 ] || [ "$(cat $l/count)" = $i ] || return 1
		i=$((i + 1))
		echo $i >$l/count && mkdir $l/d$i && ls -l $l >/dev/null || return 1
		[ $i -lt 3 ] || rmdir $l/d$((i - 2)) || return 1
		umount $l || return 1
		[ $((i % 50)) != 0 ] || echo "$i mounts" >&2
	done
}

unload() {
	tries=0
	until rmmod lakefs 2>/tmp/rmmod.log; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || { cat /tmp/rmmod.log >&2; return 1; }
		usleep 50000
	done
	! [ -e /sys/module/lakefs ] && ! [ -e /dev/lakefs ]
}

served() { # a mount by fakelaked
	/t/fakelaked run --log /tmp/log --pid /tmp/pid 2>/dev/null &
	daemon=$!
	mount -t lakefs /dev/vdb $l && echo x >$l/f && mkdir $l/d$1 && umount $l
	status=$?
	kill $daemon
	wait $daemon 2>/dev/null
	return $status
}

load_often() {
	/t/fakelaked mkfs /dev/vdb || return 1
	i=0
	while [ $i -lt "$loads" ]; do
		i=$((i + 1))
		insmod "$module" || return 1
		[ $((i % 10)) != 0 ] || served $i || return 1
		unload || return 1
		[ $((i % 50)) != 0 ] || echo "$i loads" >&2
	done
}

lakectl mkfs /dev/vda >&2 || exit 1
before=$(grep -c lakefs /proc/slabinfo)
mount_often
result $? "$mounts mounts and unmounts"
/usr/lib/deeplake/laked-launcher --stop
result $? 'the daemon stops'
lakectl verify --full /dev/vda >&2
result $? 'the lake is sound'
unload
result $? 'the module unloads after the mounts'
load_often
result $? "$loads loads and unloads"
[ "$before" -gt 0 ] && ! grep lakefs /proc/slabinfo >&2
result $? 'no cache of the module is left'
