#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon: the stream of durable changes, each
# once whatever happens to daemon and mount, and what a folder holds. /dev/vda:
# empty. Prints `pass NAME` / `fail NAME`.
. /lib.sh
dev=/dev/vda
cp=$(ls /tools/bin/cp /tools/usr/bin/cp 2>/dev/null | head -n 1)

# 1 MiB of log is long for this daemon
start() {
	/usr/lib/deeplake/laked-launcher --wait-ready -- serve \
		--socket /run/deeplake/laked.sock --seal-after 1 --base-after 1
}

# text NAME, number NAME: of each line of JSON that has it
text() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
changes() { grep '"type":"change"'; }
# what identifies a change, whoever reads it whenever
short() { changes | sed 's/"path_now".*//; s/"dir_now".*//'; }
# the operations on names, in their order
names() { changes | sed -n 's/.*"op":"\([a-z]*\)".*"name":"\([^"]*\)".*/\1 \2/p'; }

# says STATUS TEXT CMD...: ends with STATUS, and a line of it has TEXT
says() {
	want=$1 what=$2
	shift 2
	"$@" >/tmp/says 2>&1
	got=$?
	cat /tmp/says
	[ $got = "$want" ] && grep -q -- "$what" /tmp/says
}

comes() { # SECONDS CMD...
	until_=$(($(date +%s) + $1))
	shift
	while [ "$(date +%s)" -lt $until_ ]; do
		"$@" && return 0
		sleep 1
	done
	return 1
}

check 'the daemon starts' start
lakectl mkfs $dev >&2 && mount.lakefs $dev $l || exit 1

in_order() {
	mkdir $l/dir
	echo one >$l/dir/a
	ln -s a $l/dir/soft
	mv $l/dir/a $l/dir/b
	rm $l/dir/soft
	sync
	lakectl watch --json --once --since oldest $l >/tmp/first || return 1
	names </tmp/first >/tmp/names
	printf 'create dir\ncreate a\ncreate soft\nrename a\nunlink soft\n' | diff - /tmp/names &&
		changes </tmp/first | number seq | sort -n -u -c
}
check 'changes are seen in their order' in_order
check 'a write says of which file, by where that is now' \
	grep '"op":"write".*"path_now":"/dir/b"' /tmp/first
check 'a rename says both names' grep '"op":"rename".*"name":"a".*"to_name":"b"' /tmp/first
check 'nobody else may look' says 1 EPERM su nobody -c "lakectl watch --once $l"

# one that follows while the daemon dies and the lake is unmounted
follow() {
	lakectl watch --json $l >/tmp/live 2>/tmp/live.err &
	follower=$!
	comes 30 grep -q '"type":"watch"' /tmp/live || return 1
	for i in 1 2 3; do echo $i >$l/f$i; done
	sync
	comes 30 grep -q '"name":"f3"' /tmp/live || return 1
	kill -9 $(laked)
	for i in 1 2 3; do echo $i >$l/g$i; done
	sync
	comes 60 grep -q '"name":"g3"' /tmp/live || return 1
	umount $l && wait $follower && grep '"type":"watch-end","reason":"unmounted"' /tmp/live
}
check 'a follower outlives the daemon, and ends with the mount' follow
cat /tmp/live.err >&2

each_once() {
	mount.lakefs $dev $l || return 1
	echo late >$l/late
	sync
	# from the last line that was printed
	lakectl watch --json --once --since "$(changes </tmp/live | tail -n 1 | text cursor)" $l >/tmp/rest || return 1
	cat /tmp/live /tmp/rest | short >/tmp/seen
	lakectl watch --json --once --since "$(head -n 1 /tmp/live | text cursor)" $l | short >/tmp/all
	diff /tmp/all /tmp/seen || return 1
	names </tmp/seen >/tmp/names
	printf 'create %s\n' f1 f2 f3 g1 g2 g3 late | diff - /tmp/names
}
check 'and its cursor goes on with the next change: each is there once' each_once
end=$(text cursor </tmp/rest | tail -n 1)
check 'at the end there is nothing more' says 0 'this is all' lakectl watch --once --since "$end" $l
check 'a cursor that is none is refused' says 2 'is no cursor' lakectl watch --since "${end}x" $l

# log that is longer than the lake is large, until two bases have come
old=$(changes </tmp/first | head -n 1 | text cursor)
mkdir /tmp/links
to=$(head -c 2000 /dev/zero | od -An -v -t x1 | tr -d ' \n' | head -c 4000)
for i in $(seq 60); do ln -s "$to" /tmp/links/$i; done
too_old() {
	for round in 1 2 3 4 5; do
		for i in 1 2 3 4 5 6; do cp -a /tmp/links $l/x$i; done
		rm -r $l/x?
		umount $l && mount.lakefs $dev $l || return 1
		sleep 4
		lakectl watch --json --once --since "$old" $l >/tmp/gone && continue
		cat /tmp/gone
		return 0
	done
	return 1
}
check 'a cursor that is too old is refused, not skipped' too_old
check 'with the oldest that is good' grep '"code":3,.*not kept any more.*--since [A-Za-z0-9_-]*, the oldest' /tmp/gone
oldest=$(sed -n 's/.*--since \([A-Za-z0-9_-]*\), the oldest.*/\1/p' /tmp/gone)
check 'from which one can go on' says 0 '"op":"unlink"' lakectl watch --json --once --since "$oldest" $l

# what a folder holds
mkdir $l/s
head -c 1048576 /dev/urandom >$l/s/a
head -c 409600 /dev/urandom >$l/s/own
$cp --reflink=always $l/s/a $l/s/b
$cp --reflink=always $l/s/a $l/outside
ln $l/s/own $l/s/again
sync
holds() { # NAME VALUE...
	lakectl stats --json $l/s >/tmp/stats || return 1
	cat /tmp/stats
	while [ $# -gt 0 ]; do
		[ "$(counter "$1" | head -n 1)" = "$2" ] || { echo "$1 is not $2"; return 1; }
		shift 2
	done
}
check 'stats of a folder: each file and each block once' holds files 3 further_names 1 \
	logical_bytes 2506752 mapped_bytes 2506752 stored_bytes 1458176
check 'what du says is mapped' [ "$(du -sk $l/s | cut -f1)" = $((2506752 / 1024)) ]
check 'a clone elsewhere makes blocks shared' holds shared_bytes 1048576 exclusive_bytes 409600 saved_bytes 1048576
check 'its zone is the one there is' grep '"zones":\[{"name":"posix",.*"mapped_bytes":2506752}\]' /tmp/stats
rm $l/outside
sync
check 'without it all are exclusive' holds shared_bytes 0 exclusive_bytes 1458176
before=$(used_kib)
check 'of a file' says 0 '^/lake/s/own: 1 file,' lakectl stats $l/s/own
check 'the root is still the lake' says 0 'dev/vda: serving' lakectl stats $l
check 'nobody else may know what is shared' says 1 EPERM su nobody -c "lakectl stats $l/s"
frees() {
	rm -r $l/s
	sync
	freed=$((before - $(used_kib)))
	echo "freed $freed KiB"
	[ $freed -ge 1424 ] && [ $freed -le 1600 ]
}
check 'deleting the folder frees what was exclusive' frees
check 'it unmounts' umount $l
check 'and is sound' lakectl verify --full $dev
