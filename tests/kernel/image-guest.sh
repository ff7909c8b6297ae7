#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Damaged images of a lake, mounted with the real daemon: refused with a
# reason, or mounted and used until something is found out. IMAGES of each
# kind, drawn from SEED. The image is made once and copied.
image=/tmp/lake.img
dev=/dev/loop0
lake=/mnt/lake
mkdir -p $lake
modprobe -q loop

result() { # STATUS NAME
	if [ "$1" = 0 ]; then echo "pass $2"; else echo "fail $2"; fi
}

leave() {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		grep -q " $lake lakefs " /proc/mounts || return 0
		umount $lake 2>/dev/null && return 0
		echo 1 >/sys/fs/lakefs/loop0/shutdown
		usleep 500000
	done
	return 1
}

# It is detached when its last user has closed it: the daemon, that has just
# been told of the end of the mount.
detach() {
	losetup -d $dev || return 1
	for i in $(seq 60); do
		losetup $dev >/dev/null 2>&1 || return 0
		usleep 500000
	done
	echo "images: $dev is in use after the mount is gone" >&2
	return 1
}

make_image() {
	truncate -s 100M /tmp/good.img
	losetup $dev /tmp/good.img && lakectl mkfs $dev >&2 &&
		mount.lakefs $dev $lake || return 1
	mkdir -p $lake/d/e
	for i in $(seq 60); do
		echo "file $i" >$lake/d/f$i
		ln $lake/d/f$i $lake/d/e/l$i
		ln -s ../f$i $lake/d/e/s$i
	done
	head -c 200000 /dev/urandom >$lake/data
	sync
	echo 'replay this' >$lake/last
	sync
	# not unmounted: there is a log to replay
	cp /tmp/good.img /tmp/torn.img
	umount $lake && detach
}

use() {
	timeout 20 ls -lR $lake
	timeout 20 find $lake -type f -exec cat {} +
	timeout 20 touch $lake/new
	timeout 20 rm -rf $lake/d/e
	timeout 20 sync
}

round() { # SEED N KIND
	cp $([ $(($2 % 2)) = 0 ] && echo /tmp/good.img || echo /tmp/torn.img) $image
	hostile image "$1" "$2" $image "$3" || return 1
	losetup $dev $image
	if timeout 60 mount.lakefs $dev $lake >>/tmp/mount.log 2>&1; then
		taken=$((taken + 1))
		use >/dev/null 2>&1
	elif [ $? -ge 124 ]; then
		echo "image $2: the mount hangs" >&2
		return 1
	fi
	leave && detach
}

make_image
result $? 'images: a good one'
for kind in super meta; do
	n=0 taken=0 bad=0
	while [ $n -lt "${IMAGES:-5}" ] && [ $bad = 0 ]; do
		n=$((n + 1))
		round "${SEED:-1}" $n $kind || bad=1
	done
	echo "images: $taken of $n with damaged $kind were mounted" >&2
	result $bad "images: damaged $kind"
done
sort -u /tmp/mount.log | tail -n 8 >&2
cp /tmp/good.img $image && losetup $dev $image && mount.lakefs $dev $lake &&
	[ "$(cat $lake/d/f7)" = 'file 7' ] && umount $lake
result $? 'images: the good one still mounts'
