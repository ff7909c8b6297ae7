#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# lakefs.ko with fakelaked, in the busybox guest: mounts and refusals, the life
# of attachments, a hostile daemon, shutdown. One line of result a case.
# lakefs.ko and fakelaked lie beside this script.
here=$(dirname "$0")
PATH=$here:$PATH
image=/tmp/lake.img
dev=/dev/loop0
lake=/mnt/lake
sys=/sys/fs/lakefs/loop0
mkdir -p $lake
modprobe -q libcrc32c
modprobe -q zstd_decompress
modprobe -q loop
insmod "$here/lakefs.ko" || exit 1

result() { # STATUS NAME
	if [ "$1" = 0 ]; then echo "pass $2"; else echo "fail $2"; fi
}

check() { # NAME CMD...
	name=$1
	shift
	"$@" >/tmp/check.log 2>&1
	status=$?
	[ $status = 0 ] || sed 's/^/    /' /tmp/check.log >&2
	result $status "$name"
}

fresh() { # a new lake on $dev
	losetup -d $dev 2>/dev/null
	rm -f $image /tmp/log
	fakelaked mkfs $image 268435456 && losetup "$@" $dev $image
}

daemon() { # ARG...
	fakelaked run --log /tmp/log --pid /tmp/pid "$@" 2>>/tmp/daemon.log &
	daemon=$!
}

stop_daemon() {
	kill $daemon 2>/dev/null
	wait $daemon 2>/dev/null
}

mount_lake() {
	timeout 60 mount -t lakefs "$@" $dev $lake
}

mounted() {
	grep -q " $lake lakefs " /proc/mounts
}

said() { # TEXT: is it in the kernel log since the last dmesg -c?
	dmesg | grep -q "$1" && return 0
	dmesg | tail -5
	return 1
}

# refused NAME TEXT: the mount fails and says why
refused() {
	dmesg -c >/dev/null
	if mount_lake 2>/dev/null; then
		umount $lake
		result 1 "$1"
	else
		check "$1" said "$2"
	fi
}

# ---- superblocks -----------------------------------------------------------
fresh
daemon
dd if=/dev/zero of=$image bs=1M count=256 2>/dev/null
refused 'a foreign device is refused' 'not a DeepLake device'
for what in incompat:'incompat 0x40' version:'the device has format version' \
	layout:'layout is impossible' sums:'layout is impossible' sum:'both superblocks are damaged'; do
	fresh
	fakelaked damage $image ${what%%:*}
	refused "a superblock with wrong ${what%%:*} is refused" "${what#*:}"
done
fresh
losetup -d $dev
truncate -s 200M $image
losetup $dev $image
refused 'a truncated device is refused' 'truncated'
fresh
fakelaked damage $image sum-a
check 'with one bad superblock the other is used' mount_lake
check 'and a warning says so' said 'using the copy'
umount $lake

# ---- a life ------------------------------------------------------------------
fresh
check 'a new lake mounts' mount_lake
head -c 5000000 /dev/urandom >/tmp/data
life() {
	mounted && cp /tmp/data $lake/data &&
	mkdir $lake/dir && ln $lake/data $lake/dir/second &&
	ln -s data $lake/link && sync &&
	mv $lake/dir/second $lake/dir/third && rm $lake/data &&
	cmp /tmp/data $lake/dir/third
}
check 'files are made, linked, renamed, removed' life
check 'statfs answers' df $lake
check 'it unmounts' umount $lake
dmesg -c >/dev/null
check 'it mounts again' mount_lake
check 'and was clean' said 'epoch 2, clean'
check 'it is mounted' mounted
check 'the content is there' cmp /tmp/data $lake/dir/third
check 'remount read-only' mount -o remount,ro $lake
check 'which refuses writing' sh -c "! touch $lake/x 2>/dev/null"
check 'remount read-write' mount -o remount,rw $lake
check 'which allows writing' touch $lake/x

fsfreeze --freeze $lake
touch $lake/frozen & waiter=$!
sleep 1
check 'a frozen lake can be read' ls $lake
check 'and writers wait' kill -0 $waiter
fsfreeze --unfreeze $lake
wait $waiter
check 'until it thaws' [ -e $lake/frozen ]
umount $lake
losetup -d $dev
losetup -r $dev $image
check 'a read-only device mounts read-only' mount_lake -o ro
check 'with what it holds' cmp /tmp/data $lake/dir/third
check 'and not read-write' sh -c "! mount -o remount,rw $lake"
check 'and unmounts' umount $lake
losetup -d $dev
losetup $dev $image
mount_lake

# ---- the name cache: what needs no daemon ------------------------------------------
asked() { # KIND...: requests of these kinds so far
	awk -v kinds=" $* " 'index(kinds, " " $1 " ") { n += $2 }
		END { print n + 0 }' $sys/requests
}
names='lookup inode readdir inodes getxattr listxattr extents'
forget() {
	sync
	for i in 1 2 3; do echo 2 >/proc/sys/vm/drop_caches; done
}
no_requests() { # CMD...
	before=$(asked $names)
	"$@" >/dev/null || return 1
	after=$(asked $names)
	[ "$before" = "$after" ] || { cat $sys/requests; return 1; }
}
few_requests() { # MOST CMD...
	most=$1
	shift
	before=$(asked $names)
	"$@" >/dev/null || return 1
	[ $(($(asked $names) - before)) -le "$most" ] || { cat $sys/requests; return 1; }
}
build_names() {
	mkdir $lake/names && cd $lake/names || return 1
	i=0
	while [ $i -lt 300 ]; do
		echo $i >f$i || return 1
		i=$((i + 1))
	done
	mkdir sub && mv f1 sub/moved && mv f2 second && ln f3 sub/third &&
		ln -s f4 link && rm f5 && ! [ -e f5 ] && ! [ -e none ]
	status=$?
	cd /
	return $status
}
read_names() { # most of them by one look at each
	cat $lake/names/f* | wc -l | grep -qx 297
}
ls $lake >/dev/null
check 'cache: a new directory is filled and changed alone' \
	no_requests build_names
check 'cache: and read alone' no_requests ls -lR $lake/names
forget
[ "$(cat $sys/table_bytes)" -lt 2000 ]
result $? 'cache: pressure frees the tables'
check 'cache: a cold listing takes few requests' \
	few_requests 9 ls -l $lake/names
check 'cache: and none when it is warm' no_requests ls -l $lake/names
check 'cache: names that are not there are known' \
	no_requests sh -c "! ls $lake/names/none $lake/names/f5 2>/dev/null"
echo 3 >/proc/sys/vm/drop_caches
forget
extents=$(asked extents)
check 'cache: files bring their maps along' read_names
[ "$(asked extents)" = "$extents" ]
result $? 'cache: none is asked for'
rm -r $lake/names

# ---- records of one inode that follow each other are one --------------------------
seq_now() { cat $sys/last_seq; }
names_of() { (cd $1 && ls -ln | grep -v total); }
copy_names() {
	mkdir /tmp/from $lake/to && cd /tmp/from || return 1
	for i in $(seq 50); do
		: >n$i && chown $i:7 n$i && chmod 64$((i % 8)) n$i &&
			touch -d '2021-02-03 04:05:06' n$i || return 1
	done
	before=$(seq_now)
	cp -p n* $lake/to || return 1
	cd /
	# times, owner, mode: each file has a CREATE and by itself three more
	made=$(($(seq_now) - before))
	echo "$made intents"
	[ $made -ge 100 ] && [ $made -le 160 ]
}
all_sent() {
	for i in $(seq 100); do
		[ "$(cat $sys/sent_seq)" != "$(seq_now)" ] || return 0
		usleep 10000
	done
	return 1
}
sent_is_kept() {
	chmod 600 $lake/to/n1 && all_sent || return 1
	stop_daemon
	grep -qx 0 $sys/records && return 1
	before=$(seq_now)
	chmod 640 $lake/to/n1 && [ "$(seq_now)" = $((before + 1)) ]
	status=$?
	daemon
	chmod 640 /tmp/from/n1
	return $status
}
check 'join: attributes set one after the other are one record' copy_names
check 'join: what a daemon was sent is not changed' sent_is_kept
check 'join: without another change it is sent, too' all_sent
umount $lake
mount_lake
[ "$(names_of /tmp/from)" = "$(names_of $lake/to)" ]
result $? 'join: and nothing of it is lost'
rm -r $lake/to

# ---- a daemon that dies ---------------------------------------------------------
check 'kill: a successor answers' sh -c "kill -9 \$(cat /tmp/pid); ls $lake"
kills() {
	mounted || return 1
	for i in 1 2 3 4 5 6 7 8 9 10; do
		cp /tmp/data $lake/k$i || return 1
		kill -9 $(cat /tmp/pid)
		mkdir $lake/d$i && mv $lake/k$i $lake/d$i/f || return 1
	done
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for i in 1 2 3 4 5 6 7 8 9 10; do
		cmp /tmp/data $lake/d$i/f || return 1
	done
}
check 'kill: ten times under writing, nothing is lost' kills
umount $lake
stop_daemon
daemon --die-after 100
mount_lake
many() {
	mounted || return 1
	i=0
	while [ $i -lt 1000 ]; do
		echo $i >$lake/m$i || return 1
		i=$((i + 1))
	done
	sync && cat $lake/m* | wc -l | grep -qx 1000
}
check 'kill: every 100 intents, nothing is lost' many
stop_daemon
daemon
check 'it unmounts after all that' umount $lake

# ---- a hostile daemon -------------------------------------------------------------
work() {
	mounted || return 1
	for i in $(seq 60); do
		mkdir $lake/$1.$i && ls $lake/$1.$i && df $lake || return 1
	done >/dev/null
	sync
	ls -d $lake/$1.* | wc -l | grep -qx 60
}
for what in tail head len tag; do
	stop_daemon
	fresh
	daemon --evil $what
	mount_lake
	check "a daemon with bad $what harms nothing" work $what
	umount $lake
done
stop_daemon
fresh
daemon --evil abi
refused 'a daemon of another ABI is refused' 'ring ABI 99'
stop_daemon
fresh
daemon
mount_lake
touch $lake/a
sync
stop_daemon
dmesg -c >/dev/null
daemon --evil stale
# what is in memory needs no daemon: the refusal may come a little later
lost() {
	for i in $(seq 100); do
		grep -q 'state was lost' $sys/state && break
		usleep 100000
	done
	! ls $lake/none && ! mkdir $lake/b
}
check 'lost state shuts the mount down' lost
check 'with the reason' grep -q 'state was lost' $sys/state
umount $lake

# ---- shutdown ---------------------------------------------------------------------
stop_daemon
fresh
daemon
mount_lake
touch $lake/a
check 'with a daemon umount -f of a busy lake says so' sh -c "cd $lake && ! umount -f $lake"
check 'and nothing else happens' sh -c "touch $lake/a && sync -f $lake"
stop_daemon
chmod 700 $lake/a
sync -f $lake 2>/dev/null & waiter=$!
sleep 1
check 'without a daemon sync waits' kill -0 $waiter
check 'umount -f of a busy lake gives up' sh -c "umount -f $lake; true"
wait $waiter
umount $lake 2>/dev/null
check 'nothing stays mounted' sh -c "! grep -q ' $lake ' /proc/mounts"
daemon
dmesg -c >/dev/null
check 'and mounts again' mount_lake
check 'not clean' said 'replayed'
echo 1 >$sys/shutdown
check 'shutdown through sysfs gives EIO' sh -c \
	"mkdir $lake/c 2>&1 | grep -qi 'i.*/o.* error'"
check 'and unmounts after that' umount $lake
stop_daemon
daemon
mount_lake
check 'shutdown takes no word but yes and no' sh -c \
	"! echo panic >$sys/shutdown && echo 0 >$sys/shutdown && mkdir $lake/d"
echo 'the disk smells' >$sys/shutdown
check 'shutdown takes a reason' grep -q '^shutdown: the disk smells$' $sys/state
umount $lake
stop_daemon
mount_lake & waiter=$!
sleep 1
echo 1 >$sys/shutdown
wait $waiter
check 'a mount that waits can be shut down' [ $? != 0 ]
sleep 1
losetup -d $dev
check 'the module unloads' rmmod lakefs
