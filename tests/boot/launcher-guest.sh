#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs in the busybox guest with the launcher's programs in /t: every promise
# of laked-launcher, with a shell script in laked's place. Prints "pass NAME"
# or "fail NAME" lines.
launcher=/t/laked-launcher
lock=/run/deeplake/launcher.lock
mkdir -p /f

# The stand-in: does what the words in /f/mode say.
cat >/f/laked <<'END'
#!/bin/sh
echo "$$" >/f/pid
echo "$*" >/f/args
cat /proc/self/limits >/f/limits
cat /proc/self/oom_score_adj >/f/oom
cat /proc/self/status >/f/status
mode=$(cat /f/mode)
case $mode in
die) exit 3 ;;
hang) exec sleep 1000 ;;
esac
trap 'echo stopped >/f/stopped; exit 0' TERM
eval "printf R >&$LAKED_READY_FD"
[ "$mode" = ready-die ] && exit 4
while :; do sleep 0.05; done
END
chmod +x /f/laked

check() {
	name=$1
	shift
	if "$@"; then echo "pass $name"; else echo "fail $name"; fi
}

mode() { echo "$1" >/f/mode; rm -f /f/stopped /f/pid; }
start() { "$launcher" --program /f/laked --wait-ready "$@" 2>/f/stderr; }
stop() { "$launcher" --stop --timeout 20; }

# soon CMD...: true within two seconds
soon() {
	tries=0
	until "$@" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 40 ] || return 1
		sleep 0.05
	done
}

lock_is_free() { ! grep -q ":$(ls -i $lock | sed 's/^ *\([0-9]*\) .*/\1/') " /proc/locks; }
lock_is_held() { ! lock_is_free; }
alive() { [ -d "/proc/$1" ]; }
another() { [ -s /f/pid ] && [ "$(cat /f/pid)" != "$1" ] && alive "$(cat /f/pid)"; }

ready_and_arguments() {
	mode run
	start || return 1
	read -r args </f/args
	[ "$args" = "serve --socket /run/deeplake/laked.sock" ]
}

surroundings() {
	[ "$(cat /f/oom)" = -1000 ] || return 1
	grep -q '^Max core file size  *1 ' /f/limits || return 1
	grep -q '^Max locked memory  *unlimited' /f/limits || return 1
	# no signal may be blocked or ignored in laked
	grep -q '^SigBlk:[[:space:]]*0*$' /f/status || return 1
	grep -q '^SigIgn:[[:space:]]*0*$' /f/status
}

command_lines_begin_with_at() {
	[ "$(head -c 1 "/proc/$(cat $lock)/cmdline")" = @ ]
}

memory_is_locked() {
	[ "$(sed -n 's/^VmLck:[[:space:]]*\([0-9]*\).*/\1/p' \
		"/proc/$(cat $lock)/status")" -gt 0 ]
}

second_is_refused() {
	lock_is_held || return 1
	"$launcher" --program /f/laked --wait-ready 2>/f/stderr
	[ $? = 11 ] && grep -q 'running already' /f/stderr
}

survives_signals() {
	for signal in TERM HUP INT CONT PIPE; do
		kill -$signal "$(cat $lock)"
	done
	sleep 0.3
	alive "$(cat $lock)" && alive "$(cat /f/pid)"
}

respawns_after_kill() {
	round=0
	while [ $round -lt 20 ]; do
		old=$(cat /f/pid)
		kill -9 "$old"
		soon another "$old" || return 1
		round=$((round + 1))
	done
}

respawn_is_clean_of_zombies() {
	for status in /proc/[0-9]*/status; do
		grep -q "^PPid:[[:space:]]*$(cat $lock)\$" "$status" 2>/dev/null &&
			grep -q '^State:.*Z' "$status" && return 1
	done
	return 0
}

stops_cleanly() {
	stop && [ -e /f/stopped ] && lock_is_free && ! alive "$(cat /f/pid)"
}

stop_without_launcher_is_fine() { stop; }

laked_keeps_lock_without_launcher() {
	mode run
	start || return 1
	kill -9 "$(cat $lock)"
	sleep 0.2
	second_is_refused || return 1
	kill -9 "$(cat /f/pid)"
	soon lock_is_free
}

first_start_that_dies_is_told() {
	mode die
	start && return 1
	grep -q 'ended 3 times before it was ready: exit status 3' /f/stderr &&
		soon lock_is_free
}

first_start_without_end_is_told() {
	mode hang
	start --timeout 1 && return 1
	grep -q 'did not get ready in time' /f/stderr && soon lock_is_free
}

missing_program_is_told() {
	"$launcher" --program /f/none --wait-ready 2>/f/stderr && return 1
	grep -q 'could not be started' /f/stderr
}

repeated_deaths_get_slow() {
	dmesg -c >/dev/null
	mode ready-die
	start || return 1
	tries=0
	until dmesg | grep -q 'died 8 times within a minute'; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
		sleep 0.1
	done
	# slow, but not given up
	first=$(dmesg | grep -c 'laked ended')
	sleep 3
	[ "$(dmesg | grep -c 'laked ended')" = "$first" ] || return 1
	sleep 9
	[ "$(dmesg | grep -c 'laked ended')" -gt "$first" ] && stop
}

private_root() {
	mkdir -p /run/initramfs
	mount -t tmpfs tmpfs /run/initramfs
	root=/run/initramfs/laked
	mkdir -p $root/bin $root/f
	cp /bin/busybox $root/bin/busybox
	for applet in sh cat sleep echo printf ls; do
		ln -s busybox $root/bin/$applet
	done
	# the stand-in needs no more than these
	cp /f/laked $root/f/laked
	mkdir -p $root/lib64 $root/lib/x86_64-linux-gnu
	mode run
	cp /f/mode $root/f/mode
	"$launcher" --root $root --program /f/laked --wait-ready 2>/f/stderr ||
		return 1
	pid=$(cat $root/f/pid)
	[ "$(readlink "/proc/$pid/root")" = $root ] || return 1
	[ "$(readlink "/proc/$(cat $lock)/root")" = $root ] || return 1
	[ -e $root/proc/self ] && [ -c $root/dev/null ] && [ -d $root/sys/fs ] &&
		[ -e $root/run/deeplake/launcher.lock ] || return 1
	# nothing outside may be kept busy
	for fd in /proc/$pid/fd/* "/proc/$(cat $lock)/fd"/*; do
		case $(readlink "$fd") in
		/run/initramfs/* | pipe:* | anon_inode:*) ;;
		*) echo "open: $(readlink "$fd")" >&2; return 1 ;;
		esac
	done
	stop
}

mount_refuses_a_file() {
	: >/f/file
	/t/mount.lakefs /f/file /mnt 2>/f/stderr
	[ $? = 32 ] && grep -q losetup /f/stderr
}

mount_refuses_bad_usage() {
	/t/mount.lakefs /f/file 2>/f/stderr
	[ $? = 1 ] && grep -q 'a DEVICE and a DIRECTORY are needed' /f/stderr &&
		grep -q 'see mount.lakefs --help' /f/stderr
}

mount_names_missing_device() {
	/t/mount.lakefs /dev/none /mnt -o ro 2>/f/stderr
	[ $? = 32 ] && grep -q '/dev/none: No such file' /f/stderr
}

for name in ready_and_arguments surroundings command_lines_begin_with_at \
	memory_is_locked second_is_refused survives_signals respawns_after_kill \
	respawn_is_clean_of_zombies stops_cleanly stop_without_launcher_is_fine \
	laked_keeps_lock_without_launcher first_start_that_dies_is_told \
	first_start_without_end_is_told missing_program_is_told \
	repeated_deaths_get_slow private_root mount_refuses_a_file \
	mount_refuses_bad_usage mount_names_missing_device; do
	check $name $name
done
