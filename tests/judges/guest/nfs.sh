#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# knfsd exports the file system to the same guest's client (NFS 4.2 and 3).
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/root.sh"
while read -r module; do insmod "$module" 2>/dev/null; done </nfs/order
make_root || exit 1
make_fs /dev/vda && mkdir -p /m && mount_fs /dev/vda /m || exit 1
mount -o rbind /m /t/m
mkdir -p /t/var/lib/nfs/v4recovery /t/var/lib/nfs/rpc_pipefs /t/client
: >/t/var/lib/nfs/etab
: >/t/var/lib/nfs/rmtab
printf 'udp 17 UDP\ntcp 6 TCP\n' >/t/etc/protocols
mount -t nfsd nfsd /proc/fs/nfsd
[ -d /t/proc/fs/nfsd ] && mount -t nfsd nfsd /t/proc/fs/nfsd
mkdir /m/export
cp -a /judges /m/export/judges
echo '/m *(rw,no_root_squash,no_subtree_check,insecure,fsid=0)' >/t/etc/exports
# what rpcbind becomes once it runs
echo '_rpc:x:101:65534::/run/rpcbind:/bin/false' >>/t/etc/passwd
mkdir -p /run/rpcbind /t/run/rpcbind
check 'rpcbind' in_root rpcbind
check 'exportfs' in_root exportfs -ra
in_root rpc.mountd
echo 10 >/proc/fs/nfsd/nfsv4gracetime
check 'nfsd starts' in_root rpc.nfsd --no-udp 2
echo Y >/proc/fs/nfsd/v4_end_grace

use() { # PATH OPTIONS: what a client does with a tree
	check "$2: mount" in_root mount -t nfs -o "$2" "localhost:$1" /client || return
	check "$2: find" in_root bash -c '
		[ -n "$(find /client -type f -name nfs.sh)" ]'
	check "$2: untar" in_root bash -c 'mkdir /client/tree &&
		tar -C /usr -cf - sbin bin |
		tar -C /client/tree -xf - && diff -r --no-dereference /usr/sbin /client/tree/sbin'
	check "$2: rename, link, truncate" in_root bash -c 'cd /client &&
		echo a >a && ln a b && mv b c && truncate -s 1M c && rm a &&
		[ $(stat -c %s:%h c) = 1048576:1 ] && rm c'
	check "$2: locks" in_root flock -n /client/lock true
	sync
	echo 3 >/proc/sys/vm/drop_caches
	check "$2: handles outlive the caches" in_root bash -c '
		tar -cf /dev/null -C /client . &&
		diff -r --no-dereference /usr/sbin /client/tree/sbin'
	check "$2: an open file outlives its name" in_root bash -c 'cd /client &&
		exec 3<>open && echo data >&3 && rm open && cat <&3 >/dev/null'
	check "$2: rm" in_root bash -c 'rm -r /client/tree && [ ! -e /client/tree ]'
	check "$2: unmount" in_root umount /client
}

# Changes beneath the client, many within a tick of the clock that ctime is of:
# version 4 has a number for them. PATH is the export's own. Only bash itself
# runs, as starting a program takes longer than a tick.
fresh() { # PATH
	in_root mount -t nfs -o vers=4.2 localhost:/ /client || return
	in_root bash -c '
		stale=0
		for i in {1000..3999}; do
			echo $i >"$1/changing"
			read -r seen </client/changing
			[ "$seen" = $i ] || stale=$((stale + 1))
		done
		echo "$stale of 3000 were stale"
		[ $stale = 0 ]' fresh "$1"
	status=$?
	in_root umount /client
	return $status
}

# A directory that changes beneath the client and that the server has to load
# again: a client takes an equal number for no change. PATH is the export's own.
fresh_directory() { # PATH
	mkdir "$1/dir" && touch "$1/dir/old"
	sync
	echo 3 >/proc/sys/vm/drop_caches
	in_root mount -t nfs -o vers=4.2,acdirmin=1,acdirmax=1 localhost:/ /client || return
	in_root ls /client/dir >/tmp/before
	touch "$1/dir/new"
	sync
	echo 2 >/proc/sys/vm/drop_caches
	sleep 2
	in_root ls /client/dir >/tmp/after
	cat /tmp/after
	in_root umount /client
	grep -qx new /tmp/after
}

# for version 4 the export is the server's root
use / vers=4.2
mount -o remount,noatime /m # keeps what a mount is made with
check 'vers=4.2: what changed within a tick is seen' fresh /m
check 'vers=4.2: what changed in a directory is seen when its server has forgotten it' fresh_directory /m
use /m vers=3,nolock
in_root rpc.nfsd 0
in_root exportfs -ua
umount /t/m
check_end /dev/vda /m
