#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# stress-ng's file system classes, one stressor after the other, with checks of
# what it reads. SECONDS_EACH=30 for each; TESTS names some stressors.
. "$(dirname "$0")/common.sh"
make_fs /dev/vda && mount_fs /dev/vda /m || exit 1
mkdir /m/stress
default='access acl aiol chattr chmod chown chdir copy-file dentry dir dirdeep
dirmany dup eventfd fallocate fcntl fd-race fiemap file-ioctl filename filerace
flock fpunch fsize fstat ftruncate getdent handle hdd inode-flags iomix
io-uring lease link locka lockf lockmix lockofd mmapaddr mmapfiles mknod
metamix open pread-write readahead rename revio seek sendfile splice
statmount symlink sync-file touch truncate unlink utime verity xattr'
for name in ${TESTS:-$default}; do
	stress-ng --help 2>&1 | grep -q -- " --$name " || continue
	check "$name" timeout $((${SECONDS_EACH:-30} * 4 + 120)) \
		stress-ng --temp-path /m/stress --verify --oomable --no-rand-seed \
		--timeout "${SECONDS_EACH:-30}" "--$name" 2
done
check 'it left nothing' rmdir /m/stress
check_end /dev/vda /m
