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
echo '/m *(rw,no_root_squash,no_subtree_check,insecure,fsid=7)' >/t/etc/exports
in_root rpcbind -w
check 'exportfs' in_root exportfs -ra
in_root rpc.mountd
echo 1 >/proc/fs/nfsd/nfsv4gracetime
check 'nfsd starts' in_root rpc.nfsd --no-udp 2
echo Y >/proc/fs/nfsd/v4_end_grace

use() { # OPTIONS: what a client does with a tree
	check "$1: mount" in_root mount -t nfs -o "$1" localhost:/m /client || return
	check "$1: find" in_root sh -c 'find /client -type f | grep -q nfs.sh'
	check "$1: untar" in_root sh -c 'mkdir /client/tree &&
		tar -C /usr -cf - share/perl5 lib/x86_64-linux-gnu/perl-base sbin |
		tar -C /client/tree -xf - && diff -r /usr/sbin /client/tree/sbin'
	check "$1: rename, link, truncate" in_root sh -c 'cd /client &&
		echo a >a && ln a b && mv b c && truncate -s 1M c && rm a &&
		[ $(stat -c %s:%h c) = 1048576:1 ] && rm c'
	check "$1: locks" in_root flock -n /client/lock true
	sync
	echo 3 >/proc/sys/vm/drop_caches
	check "$1: handles outlive the caches" in_root sh -c '
		tar -cf /dev/null -C /client . && diff -r /usr/sbin /client/tree/sbin'
	check "$1: an open file outlives its name" in_root sh -c 'cd /client &&
		exec 3<>open && echo data >&3 && rm open && cat <&3 >/dev/null'
	check "$1: rm" in_root sh -c 'rm -r /client/tree && [ ! -e /client/tree ]'
	check "$1: unmount" in_root umount /client
}
use vers=4.2
use vers=3,nolock
in_root rpc.nfsd 0
in_root exportfs -ua
umount /t/m
check_end /dev/vda /m
