#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# An overlayfs with lower, upper and work folder on the file system.
. "$(dirname "$0")/common.sh"
modprobe -q overlay
make_fs /dev/vda && mount_fs /dev/vda /m || exit 1
mkdir -p /m/lower/dir/sub /m/upper /m/work /o
echo lower >/m/lower/file
echo deep >/m/lower/dir/sub/deep
echo gone >/m/lower/dir/gone
ln /m/lower/file /m/lower/hard
ln -s file /m/lower/soft
mknod /m/lower/null c 1 3
chmod 4755 /m/lower/dir/gone
dd if=/dev/urandom of=/m/lower/big bs=64k count=64 2>/dev/null

# Unsupported features are only said in the log, then done without.
mount_o() {
	mount -t overlay -o "lowerdir=/m/lower,upperdir=/m/upper,workdir=/m/work$1" \
		overlay /o
}

check 'it mounts' mount_o ''
check 'the kernel misses nothing in the upper file system' sh -c '! (
	dmesg | grep -iE "overlayfs: .*(not support|falling|failed|missing)" >&2)'
check 'lower files are seen' sh -c '[ "$(cat /o/file)" = lower ] &&
	[ "$(readlink /o/soft)" = file ] && [ -c /o/null ] && cmp /o/big /m/lower/big'
check 'a write copies up' sh -c 'echo more >>/o/file &&
	[ "$(cat /m/lower/file)" = lower ] && [ "$(cat /o/file | wc -l)" = 2 ] &&
	[ "$(cat /m/upper/file | wc -l)" = 2 ]'
check 'a large file copies up' sh -c 'echo x >>/o/big &&
	dd if=/o/big bs=64k count=64 2>/dev/null | cmp - /m/lower/big'
check 'mode and owner are copied up' sh -c 'chown 5:6 /o/dir/gone &&
	[ "$(stat -c %u:%g /m/upper/dir/gone)" = 5:6 ] &&
	[ "$(stat -c %u:%g /m/lower/dir/gone)" = 0:0 ]'
check 'unlink leaves a whiteout' sh -c 'rm /o/dir/gone && [ ! -e /o/dir/gone ] &&
	[ "$(stat -c %t:%T:%F /m/upper/dir/gone)" = "0:0:character special file" ] &&
	[ -e /m/lower/dir/gone ]'
check 'a removed and remade folder is empty' sh -c 'rm -r /o/dir &&
	mkdir /o/dir && [ -z "$(ls /o/dir)" ]'
check 'rename of a file' sh -c 'mv /o/hard /o/moved && [ ! -e /o/hard ] &&
	[ "$(head -n 1 /o/moved)" = lower ]'
check 'many files' sh -c 'mkdir /o/many && for i in $(seq 300); do
	echo $i >/o/many/$i; done; [ "$(ls /o/many | wc -l)" = 300 ] && rm -r /o/many'
check 'it unmounts' umount /o
check 'and mounts again' mount_o ''
check 'with the same content' sh -c '[ "$(cat /o/file | wc -l)" = 2 ] &&
	[ ! -e /o/hard ] && [ -e /o/moved ] && [ -z "$(ls /o/dir)" ]'
umount /o
rm -rf /m/upper /m/work
mkdir /m/upper /m/work
check 'it mounts with redirects, an index and whole-file metadata copies' \
	mount_o ',redirect_dir=on,index=on,metacopy=on,nfs_export=off'
check 'a lower folder can be renamed' sh -c 'mkdir /o/a; mv /o/dir /o/a/dir2 &&
	[ "$(cat /o/a/dir2/sub/deep)" = deep ] && [ ! -e /o/dir ]'
check 'hard links stay one file' sh -c 'echo both >>/o/hard &&
	[ "$(tail -n 1 /o/file)" = both ]'
check 'a change of mode alone copies no data' sh -c 'chmod 600 /o/big &&
	[ "$(stat -c %b /m/upper/big)" -lt 100 ] && cmp /o/big /m/lower/big'
umount /o
check 'the log stays free of complaints' sh -c "! (dmesg |
	grep -iE 'overlayfs: .*(not support|falling|failed|missing)' >&2)"
check_end /dev/vda /m
