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
