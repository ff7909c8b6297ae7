# SPDX-License-Identifier: MPL-2.0
# Disks and files named on the command line, looked at before anything is
# built: what is wrong with them is told in seconds. Source common.sh first.

# disk_holder FILE READONLY: prints the process that has FILE in use in a way
# that keeps us from it. QEMU locks single bytes, so that no lock of the whole
# file tells; the kernel lists each lock with the descriptor that holds it.
disk_holder() {
	local file=$1 readonly=$2 fd info pid flags
	for fd in /proc/[0-9]*/fd/*; do
		[ "$fd" -ef "$file" ] || continue
		info=$(cat "${fd/\/fd\///fdinfo/}" 2>/dev/null) || continue
		grep -q '^lock:' <<<"$info" || continue
		# Several may read it together.
		flags=$(sed -n 's/^flags:[ \t]*0*//p' <<<"$info")
		[ "$readonly" = off ] || [ $((8#${flags:-0} & 3)) != 0 ] || continue
		pid=${fd#/proc/}
		printf '%s\n' "${pid%%/*}"
		return
	done
	# Of a process of somebody else.
	disk_is_locked "$file" && [ "$readonly" = off ] && echo '?'
}

# The kernel's list has no names: numbers of device and inode.
disk_is_locked() {
	local at
	at=$(stat -L -c '%Hd %Ld %i' "$1" 2>/dev/null) || return 1
	# shellcheck disable=SC2086 # three words
	at=$(printf '%02x:%02x:%d' $at)
	grep -q " $at " /proc/locks 2>/dev/null
}

# disk_check WHAT FILE READONLY: FILE is there, or can be made, and is free.
disk_check() {
	local what=$1 file=$2 readonly=${3:-off} pid
	if [ ! -e "$file" ]; then
		file_check_place "$what" "$file"
		return
	fi
	[ ! -d "$file" ] || die "$what: $file is a directory; name a file in it"
	[ -r "$file" ] || die "$what: $file cannot be read by you"
	[ "$readonly" != off ] || [ -w "$file" ] || die "$what: $file cannot be written to by you"
	pid=$(disk_holder "$file" "$readonly") || return 0
	[ "$pid" != '?' ] ||
		die "$what: $file is in use by a process of another user;" \
			"nothing was changed. Next: end it (a guest with 'poweroff'), or name another file"
	die "$what: $file is in use by $(disk_user "$pid"); nothing was changed." \
		"Next: leave that guest first ('poweroff' in it, or kill $pid, which is a power cut), or name another file"
}

# disk_check_lake WHAT FILE [NEXT]: FILE, when it is there, begins or ends as a
# lake does: anything else boots into the initramfs' shell after a minute.
disk_check_lake() {
	local what=$1 file=$2 next=${3:-'remove it, and it is made from the image'} bytes
	[ -e "$file" ] || return 0
	bytes=$(blockdev --getsize64 "$file" 2>/dev/null || stat -L -c %s "$file")
	disk_has_super "$file" 1 || disk_has_super "$file" $((bytes / 4096 - 1)) ||
		die "$what: $file holds no lake: no superblock at byte 4096, and none in its last block;" \
			"nothing was changed. Next: $next (what is in it is lost then), or name another file"
}

# The magic of struct lakefs_sb (proto/lakefs_format.h).
disk_has_super() {
	[ "$2" -ge 1 ] && [ "$(dd if="$1" bs=4096 skip="$2" count=1 status=none 2>/dev/null |
		head -c 7 | tr -d '\0')" = LAKEFS1 ]
}

disk_user() {
	local name
	name=$(cat "/proc/$1/comm" 2>/dev/null) || name=
	case $name in
	qemu-system*) echo "another guest (pid $1)" ;;
	*) echo "the program ${name:-?} (pid $1)" ;;
	esac
}

# file_check_place WHAT FILE: its folder is there.
file_check_place() {
	local dir
	dir=$(dirname -- "$2")
	[ -d "$dir" ] || die "$1: there is no folder $dir for ${2##*/}; make it first (mkdir -p), or check the name"
	[ -w "$dir" ] || die "$1: the folder $dir cannot be written to by you"
}
