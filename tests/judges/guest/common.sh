# SPDX-License-Identifier: MPL-2.0
# For the judges' guest scripts. FS says what is judged: lakefs or ext4. The
# disks are /dev/vda (the file system under test) and /dev/vdb (a scratch one).

make_fs() { # DEVICE
	case $FS in
	lakefs) lakectl mkfs --force "$1" >&2 ;;
	ext4) mkfs.ext4 -q -F -b 4096 "$1" >&2 ;;
	esac
}

mount_fs() { # DEVICE DIR
	mkdir -p "$2"
	case $FS in
	lakefs) mount.lakefs "$1" "$2" ;;
	ext4) mount -t ext4 "$1" "$2" ;;
	esac
}

check_fs() { # DEVICE, not mounted
	case $FS in
	lakefs) lakectl verify --full "$1" >&2 ;;
	ext4) e2fsck -fn "$1" >&2 ;;
	esac
}

check() { # NAME CMD...
	name=$1
	shift
	"$@" >/tmp/check.log 2>&1
	status=$?
	if [ $status = 0 ]; then
		echo "pass $name"
	else
		echo "fail $name"
		echo "    $name: status $status" >&2
		tail -n 30 /tmp/check.log | sed 's/^/    /' >&2
	fi
	return $status
}

# A failed unmount tells who still uses the file system.
unmount() { # DIR
	umount "$1" && return
	ls -l /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe \
		/proc/[0-9]*/fd /proc/[0-9]*/map_files 2>/dev/null | grep " $1"
	grep " $1" /proc/self/mounts
	return 1
}

# The end of every judge: what it left behind is sound.
check_end() { # DEVICE DIR
	check "$FS unmounts" unmount "$2"
	check "$FS is sound afterwards" check_fs "$1"
}
