#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The VM tool itself: what the other suites rely on. KERNEL=debug: that what
# the debug kernel finds fails a run.
# ONLY=names: what is seen to be wrong before a guest starts. ONLY=shells: how
# a person's guest ends.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin vm

# expect STATUS CMD...: the command ends with that status.
expect() {
	local want=$1 got=0
	shift
	"$@" || got=$?
	[ $got = "$want" ] || { echo "status $got instead of $want"; return 1; }
}

# fault_module KERNEL: builds tests/kernel/fault for that kernel.
fault_module() {
	local dir out=$suite_dir/fault-$1
	dir=$("$LAKE_ROOT/qemu/kernel.sh" "$1") || return 1
	cp -r "$LAKE_TESTS/kernel/fault" "$out"
	make -s -C "$dir/build" M="$out" CC="$(cat "$dir/cc")" modules \
		>"$suite_dir/fault.log" 2>&1 || { cat "$suite_dir/fault.log" >&2; return 1; }
}

clean_output() {
	"$LAKE_VM" run -- sh -c 'echo out; echo err >&2; echo again >/dev/stderr' \
		>"$suite_dir/out" 2>"$suite_dir/err" || return 1
	diff <(echo out) "$suite_dir/out" &&
		grep -v -e '==>' -e '^    [0-9]* s' "$suite_dir/err" | diff <(printf 'err\nagain\n') -
}

# 8 MB through the port, unchanged.
large_output() {
	"$LAKE_VM" run -- sh -c 'seq 1 1100000' >"$suite_dir/large" || return 1
	seq 1 1100000 | cmp - "$suite_dir/large"
}

arguments_kept() {
	local text
	text=$("$LAKE_VM" run --env "LAKE_X=a  'b' \$c" -- sh -c 'echo "$1|$LAKE_X"' sh \
		"one \"two\"  it's \$HOME") || return 1
	[ "$text" = "one \"two\"  it's \$HOME|a  'b' \$c" ] || { echo "$text"; return 1; }
}

disks_kept() {
	local disk=$suite_dir/kept.img
	"$LAKE_VM" run --disk "$disk,size=16M" --disk "$suite_dir/second.img,size=8M,serial=two,bs=4096" \
		-- sh -c 'echo kept | dd of=/dev/vda bs=512 seek=4 conv=sync,fsync 2>/dev/null
			cat /sys/block/vdb/serial; echo
			cat /sys/block/vdb/size /sys/block/vdb/queue/logical_block_size' \
		>"$suite_dir/disks" || return 1
	diff <(printf 'two\n16384\n4096\n') <(grep . "$suite_dir/disks") || return 1
	[ "$(dd if="$disk" bs=512 skip=4 count=1 2>/dev/null | tr -d '\0')" = kept ]
}

files_both_ways() {
	mkdir -p "$suite_dir/share/sub"
	echo shared >"$suite_dir/share/sub/a file"
	"$LAKE_VM" run --share "$suite_dir/share" --out "$suite_dir/back" \
		--file "$suite_dir/share/sub/a file:/etc/placed" -- sh -c '
			cmp "/mnt/share/sub/a file" /etc/placed || exit 1
			mkdir /mnt/out/d; cp /etc/placed /mnt/out/d/; echo x >/mnt/share/new' || return 1
	cmp "$suite_dir/share/sub/a file" "$suite_dir/back/d/placed" &&
		[ ! -e "$suite_dir/share/new" ]
}

# fault MODE [KERNEL]: the run fails with the status for kernel faults,
# although the command itself may succeed.
fault() {
	local kernel=${2:-6.12}
	expect 120 "$LAKE_VM" run --kernel "$kernel" --timeout 600 \
		--file "$suite_dir/fault-$kernel/fault.ko:/root/fault.ko" \
		-- sh -c "insmod /root/fault.ko mode=$1; true"
}

# An init of its own before the guest's: the first time it dies as a kernel does
# that ran a half patched instruction (or of something else: WHAT).
patching_root() {
	local dir=$suite_dir/patching what=$1 kernel
	kernel=$("$LAKE_ROOT/qemu/kernel.sh" 6.12) || return 1
	rm -rf "$dir"
	mkdir -p "$dir/tree"
	cp "$kernel/vmlinuz" "$dir/"
	cp "$LAKE_ROOT/qemu/lib/init" "$dir/tree/init.second"
	cat >"$dir/tree/init" <<-END
	#!/bin/sh
	mount -t devtmpfs dev /dev
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	while read -r module; do insmod "\$module"; done </etc/modules.boot
	if [ "\$(head -c 4 /dev/vdb)" != seen ]; then
		echo seen | dd of=/dev/vdb conv=fsync 2>/dev/null
		echo '$what' >/dev/kmsg
		echo 'RIP: 0010:vfs_write+0x1/0x40' >/dev/kmsg
		reboot -f
	fi
	umount /sys /proc
	exec /init.second
	END
	chmod 755 "$dir/tree/init" "$dir/tree/init.second"
	{
		cat "$LAKE_BUILD/vm/busybox-6.12.img"
		(cd "$dir/tree" && find . | cpio --quiet -o -H newc -R 0:0)
	} >"$dir/initrd.img"
	echo 'loglevel=5' >"$dir/cmdline"
	truncate -s 1M "$dir/disk"
	rm -f "$suite_dir/mark"
	truncate -s 1M "$suite_dir/mark"
}

starts_again() {
	patching_root 'Oops: int3: 0000' || return 1
	expect 7 "$LAKE_VM" run --root "$suite_dir/patching" \
		--disk "$suite_dir/mark" -- sh -c 'exit 7'
}

starts_once() {
	patching_root 'Oops: general' || return 1
	expect 120 "$LAKE_VM" run --root "$suite_dir/patching" \
		--disk "$suite_dir/mark" -- sh -c 'exit 7'
}

# found MODE TEXT: what the debug kernel says of it fails the run, too.
found() {
	fault "$1" debug 2>"$suite_dir/found" || { cat "$suite_dir/found"; return 1; }
	grep -E -- "$2" "$suite_dir/found" || { cat "$suite_dir/found"; return 1; }
}

debug_kernel() {
	fault_module debug || { fail 'the fault module builds'; return; }
	check 'debug kernel: a sound run is no fault' "$LAKE_VM" run --kernel debug --timeout 600 \
		--module "$suite_dir/fault-debug/fault.ko" -- true
	check 'debug kernel: freed memory is read' found freed 'KASAN'
	check 'debug kernel: two orders of locks' found locks 'circular locking'
	check 'debug kernel: sleeping under a spin lock' found sleep \
		'sleeping function called|scheduling while atomic'
	check 'debug kernel: memory is lost' found leak 'kmemleak|unreferenced'
	check 'debug kernel: lockdep is off' found unlocked 'lockdep was off'
}

# emulator_fault KIND PLACE: is such a console log one of a boot to be made anew?
emulator_fault() {
	printf '[ 2.2] %s: 0000 [#1] PREEMPT SMP\n[ 2.3] RIP: 0010:%b\r\n' \
		"$1" "$2" >"$suite_dir/console"
	(. "$LAKE_ROOT/qemu/lib/machine.sh"
		console_emulator_fault "$suite_dir/console")
}

only_emulator_faults() {
	emulator_fault 'Oops: int3' 'vfs_write+0x1/0x40' || return 1
	! emulator_fault 'Oops: int3' 'lakefs_bmap+0x1/0x40 [lakefs]' &&
		! emulator_fault 'Oops: int3' 'kfree+0x1/0x40\r\n[ 2.4]  lakefs_bmap+0x1/0x40 [lakefs]' &&
		! emulator_fault 'Oops: int3' '' &&
		! emulator_fault 'general protection fault' 'vfs_write+0x1/0x40' || return 1
	echo 'all is well' >"$suite_dir/console"
	! (. "$LAKE_ROOT/qemu/lib/machine.sh"
		console_emulator_fault "$suite_dir/console")
}

# Every write is in the log with its data, in order, and flushes too.
recorded() {
	"$LAKE_VM" run --disk "$suite_dir/rec.img,size=8M" --record "$suite_dir/rec.log" -- sh -c '
		for i in 1 2 3; do
			echo "record $i" | dd of=/dev/vda bs=4096 seek=$i conv=sync,fsync 2>/dev/null
		done' || return 1
	python3 "$LAKE_TESTS/lib/write-log.py" "$suite_dir/rec.log" >"$suite_dir/rec.txt" || return 1
	cat "$suite_dir/rec.txt"
	diff - <(grep -v '^mark' "$suite_dir/rec.txt") <<-END
	write 4096 4096 record 1
	flush
	write 8192 4096 record 2
	flush
	write 12288 4096 record 3
	flush
	END
}

# The power goes while the command is writing: what was written and synced
# before is on the disk, and the command's end is not.
power_cut() {
	local disk=$suite_dir/cut.img
	expect 0 "$LAKE_VM" crash --after 1 --disk "$disk,size=8M" -- sh -c '
		echo first | dd of=/dev/vda bs=512 conv=sync,fsync 2>/dev/null
		sleep 30
		echo last | dd of=/dev/vda bs=512 conv=sync,fsync 2>/dev/null' || return 1
	[ "$(head -c 512 "$disk" | tr -d '\0')" = first ]
}

# Seconds of the guest in seconds of ours: near to one.
clock_keeps_pace() {
	"$LAKE_VM" run -- sh -c 'cat /proc/uptime; sleep 8; cat /proc/uptime' |
		while read -r up _; do
			printf '%s %s\n' "$(date +%s.%N)" "$up"
		done | awk 'NR == 1 { ours = $1; its = $2 }
			NR == 2 { pace = ($2 - its) / ($1 - ours); print pace }
			END { exit !(pace > 0.9 && pace < 1.1) }'
}

# Counted from what the command says, however long that takes.
power_cut_when() {
	expect 0 "$LAKE_VM" crash --after 1 --when 'it is written' \
		--disk "$suite_dir/when.img,size=8M" -- sh -c 'sleep 4
		echo first | dd of=/dev/vda bs=512 conv=sync,fsync 2>/dev/null
		echo it is written; sleep 60' || return 1
	[ "$(head -c 512 "$suite_dir/when.img" | tr -d '\0')" = first ]
}

# In the exact machine, what a guest sees is the same each time: the time in
# nanoseconds, the interrupts, random numbers. Files come and go as ever.
exact_run() {
	expect 7 "$LAKE_VM" run --exact --share "$suite_dir/share" --out "$1" -- sh -c '
		cp "/mnt/share/sub/a file" /mnt/out/ && echo error >&2
		cat /proc/timer_list /proc/interrupts /proc/sys/kernel/random/uuid
		exit 7' >"$1.out" 2>"$1.err" &&
		cmp "$suite_dir/share/sub/a file" "$1/a file" &&
		grep -q '^error$' "$1.err"
}

exact_repeats() {
	exact_run "$suite_dir/exact1" && exact_run "$suite_dir/exact2" &&
		[ "$(wc -l <"$suite_dir/exact1.out")" -gt 100 ] &&
		cmp "$suite_dir/exact1.out" "$suite_dir/exact2.out"
}

# refused TEXT CMD...: ends within seconds, with nothing built, and says TEXT.
refused() {
	local text=$1
	shift
	expect 125 timeout 60 "$@" 2>"$suite_dir/refused" || {
		cat "$suite_dir/refused"
		return 1
	}
	grep -F -- "$text" "$suite_dir/refused" || { cat "$suite_dir/refused"; return 1; }
	! grep '==>' "$suite_dir/refused"
}

# hold_disk FILE [OPTION]: a machine that never starts has FILE in use as one
# that runs has; $holder is its pid, and release_disk ends it.
hold_disk() {
	qemu-system-x86_64 -S -nodefaults -display none -M q35 -m 64M \
		-blockdev "driver=raw,node-name=d,${2:+$2,}file.driver=file,file.filename=$1" \
		-device virtio-blk-pci,drive=d </dev/null &
	holder=$!
	has_lock $holder
}

release_disk() {
	kill $holder
	wait $holder
}

# has_lock PID: waits until that QEMU has its disk.
has_lock() {
	for _ in $(seq 100); do
		grep -qs '^lock:' /proc/$1/fdinfo/* && return
		sleep 0.2
	done
	return 1
}

disk_in_use() {
	local disk=$suite_dir/used.img said status=0
	echo kept >"$disk"
	truncate -s 1M "$disk"
	hold_disk "$disk" || return 1
	said="$disk is in use by another guest (pid $holder); nothing was changed. Next:"
	refused "$said" "$LAKE_VM" run --disk "$disk,size=1M" -- true &&
		refused "$said" "$LAKE_VM" shell --root lake --root-disk "$disk" &&
		refused "$said" "$LAKE_VM" run --disk "$disk,ro" -- true &&
		! timeout 60 make -s -C "$LAKE_ROOT" run FRESH=1 "DISK=$disk" 2>"$suite_dir/refused" &&
		grep -F "$said" "$suite_dir/refused" &&
		[ "$(head -n 1 "$disk" | tr -d '\0')" = kept ] || status=1
	release_disk
	[ $status = 0 ] || { cat "$suite_dir/refused"; return 1; }
	(. "$LAKE_ROOT/qemu/lib/disk.sh"; disk_check --disk "$disk")
}

# Two that only read do not disturb each other.
disk_is_read() {
	local disk=$suite_dir/read.img status=0
	truncate -s 1M "$disk"
	hold_disk "$disk" read-only=on || return 1
	(. "$LAKE_ROOT/qemu/lib/disk.sh"
		disk_check --disk "$disk" on
		! (disk_check --disk "$disk" off)) || status=1
	release_disk
	return $status
}

# shell_ended SIGNAL STATUS: a person's guest whose QEMU gets that signal. Before,
# bash said "Killed" and a command line of a page.
shell_ended() {
	local shell pid='' status=0 said=$suite_dir/shell
	"$LAKE_VM" shell --disk "$suite_dir/shell.img,size=1M" </dev/null >"$said" 2>&1 &
	shell=$!
	for _ in $(seq 600); do
		pid=$(pgrep -P $shell qemu-system) && break
		[ -d /proc/$shell ] || break
		sleep 0.2
	done
	[ -n "$pid" ] && has_lock "$pid" && kill -s "$1" "$pid" || status=1
	wait $shell || [ $? = "$2" ] || status=1
	grep "^vm: the guest is gone: .* signal $(($2 - 128)) (SIG$1)" "$said" &&
		grep '^vm: Next: ' "$said" && ! grep -E 'Killed|TMPDIR|blockdev|terminating' "$said" &&
		[ $status = 0 ] || { cat "$said"; return 1; }
}

# Long work says so: in a log every LAKE_PROGRESS_SECONDS, on a terminal each
# second. The work goes on when the time was told, not after a time of its own:
# a busy machine tells it late.
slow_work() {
	: >"$1"
	cat >"$suite_dir/slow.sh" <<-END
	set -euo pipefail
	. "\$LAKE_ROOT/qemu/lib/common.sh"
	told() { until grep -aqE "\$1" "$1"; do sleep 0.2; done; }
	work() {
		echo begins; told '    [0-9]+ s'; (exec sleep 60) &
		echo 'I: the second part'; told '    [0-9]+ s: the second part'
		printf 'the last words' >&2; return 3
	}
	with_progress --late 'nothing of note' true
	with_progress 'a long work' work || exit \$?
	END
}

# not_too_often FILE: lines of times that are two seconds apart at least
not_too_often() {
	local line gone last=0
	while read -r line; do
		gone=${line%% s*}
		[ "$gone" -ge $((last + 2)) ] || { echo "$gone s after $last s"; return 1; }
		last=$gone
	done < <(grep -E '^    [0-9]+ s' "$1")
}

slow_work_in_a_log() {
	local status=0
	slow_work "$suite_dir/slow.err"
	LAKE_PROGRESS_SECONDS=2 timeout 55 bash "$suite_dir/slow.sh" >"$suite_dir/slow.out" 2>"$suite_dir/slow.err" || status=$?
	cat "$suite_dir/slow.out" "$suite_dir/slow.err"
	[ $status = 3 ] && [ ! -s "$suite_dir/slow.out" ] &&
		[[ $(head -n 1 "$suite_dir/slow.err") = *'==>'*' a long work' ]] &&
		! grep 'of note' "$suite_dir/slow.err" &&
		grep -xE '    [0-9]+ s' "$suite_dir/slow.err" &&
		grep -xE '    [0-9]+ s: the second part' "$suite_dir/slow.err" &&
		grep -x begins "$suite_dir/slow.err" &&
		[ "$(tail -n 1 "$suite_dir/slow.err")" = 'the last words' ] &&
		not_too_often "$suite_dir/slow.err"
}

slow_work_on_a_terminal() {
	local status=0
	slow_work "$suite_dir/slow.tty"
	timeout 55 script -qefc "bash $suite_dir/slow.sh" /dev/null </dev/null >"$suite_dir/slow.tty" || status=$?
	cat -v "$suite_dir/slow.tty"
	# each time takes the line of the one before; so does what the command writes
	[ $status = 3 ] &&
		cat -v "$suite_dir/slow.tty" | grep -E '    [0-9]+ s\^M\^\[\[K    [0-9]+ s: the second part' &&
		cat -v "$suite_dir/slow.tty" | grep -E 's: the second part\^M\^\[\[Kthe last words'
}

no_such_places() {
	refused "--root-disk: there is no folder $suite_dir/none for x" \
		"$LAKE_VM" run --root lake --root-disk "$suite_dir/none/x" -- true &&
		refused "--root-disk: $suite_dir is a directory" \
			"$LAKE_VM" shell --root lake --root-disk "$suite_dir" &&
		refused "--disk: there is no folder $suite_dir/none for x" \
			"$LAKE_VM" run --disk "$suite_dir/none/x,size=1M" -- true &&
		refused "--record: there is no folder $suite_dir/none for x" \
			"$LAKE_VM" run --record "$suite_dir/none/x" -- true &&
		refused "--share: there is no folder $suite_dir/none" \
			"$LAKE_VM" run --share "$suite_dir/none" -- true &&
		refused "--file: $suite_dir/none does not exist" \
			"$LAKE_VM" run --file "$suite_dir/none:/x" -- true &&
		[ ! -e "$suite_dir/none" ]
}

# A person's disk that is something else: said before a boot that ends in the
# initramfs' shell.
disk_is_no_lake() {
	local disk=$suite_dir/other.img said
	said="$disk holds no lake: no superblock at byte 4096, and none in its last block; nothing was changed. Next:"
	truncate -s 8M "$disk"
	refused "--root-disk: $said" "$LAKE_VM" shell --root lake --root-disk "$disk" &&
		! timeout 60 make -s -C "$LAKE_ROOT" run "DISK=$disk" 2>"$suite_dir/refused" &&
		grep -F "make run: $said FRESH=1" "$suite_dir/refused" || {
		cat "$suite_dir/refused"
		return 1
	}
	: >"$suite_dir/empty.img"
	refused 'holds no lake' "$LAKE_VM" shell --root lake --root-disk "$suite_dir/empty.img" || return 1
	# either copy is one
	printf 'LAKEFS1\0' | dd of="$disk" bs=4096 seek=1 conv=notrunc status=none
	printf 'LAKEFS1\0' | dd of="$suite_dir/end.img" bs=4096 seek=2047 status=none
	truncate -s 8M "$suite_dir/end.img"
	(. "$LAKE_ROOT/qemu/lib/disk.sh"
		disk_check_lake --root-disk "$disk"
		disk_check_lake --root-disk "$suite_dir/end.img"
		disk_check_lake --root-disk "$suite_dir/none.img")
}

impossible_machines() {
	local smp mem
	for smp in 0 -1 two 2.5 1000 ''; do
		refused "--smp: '$smp' is no number of processors" "$LAKE_VM" run --smp "$smp" -- true || return 1
	done
	for mem in 2048 lots 0x40M -1G 1.5G 2g '' 1T; do
		refused "--mem: '$mem' is no size of memory" "$LAKE_VM" run --mem "$mem" -- true || return 1
	done
	refused '--mem: 0M is too little for the small guest; give 64M' "$LAKE_VM" run --mem 0M -- true &&
		refused '--mem: 128M is too little for a Debian guest; give 256M' \
			"$LAKE_VM" run --root lake --mem 128M -- true &&
		refused '--mem: 9999999G is more than this machine has' "$LAKE_VM" run --mem 9999999G -- true || return 1
	! timeout 60 make -s -C "$LAKE_ROOT" run "DISK=$suite_dir/new.img" SMP=0 2>"$suite_dir/refused" &&
		grep "make run: SMP: '0' is no number" "$suite_dir/refused" &&
		! timeout 60 make -s -C "$LAKE_ROOT" run "DISK=$suite_dir/new.img" MEM=2 2>"$suite_dir/refused" &&
		grep "make run: MEM: '2' is no size" "$suite_dir/refused" && [ ! -e "$suite_dir/new.img" ]
}

what_is_named() {
	check 'a disk that another guest has in use is refused, and by whom is said' disk_in_use
	check 'a disk that others only read may be read' disk_is_read
	check 'a disk that is no lake is not booted from' disk_is_no_lake
	check 'processors and memory that cannot be are told as that' impossible_machines
	check 'work that is long says so in a log' slow_work_in_a_log
	check 'and on a terminal' slow_work_on_a_terminal
	check 'what is named and is not there is told before anything is built' no_such_places
	check 'wrong options are refused' expect 125 "$LAKE_VM" run --disk /nonexistent -- true
}

shells() {
	check 'a shell whose QEMU is killed says what happened' shell_ended KILL 137
	check 'and one whose QEMU is told to end' shell_ended TERM 143
}

if [ "${ONLY:-}" = names ]; then
	what_is_named
	suite_end
	exit
fi
if [ "${ONLY:-}" = shells ]; then
	shells
	suite_end
	exit
fi
if [ "${KERNEL:-}" = debug ]; then
	debug_kernel
	suite_end
	exit
fi
check 'exit status of the command' expect 42 "$LAKE_VM" run -- sh -c 'exit 42'
check 'standard output holds the command and nothing else' clean_output
check 'much output comes through unchanged' large_output
check 'arguments and environment are kept' arguments_kept
check 'disks keep what was written' disks_kept
check 'files go in and come back' files_both_ways
check 'the exact machine does the same each time' exact_repeats
check "the guest's clock keeps the host's pace" clock_keeps_pace
check 'two processors' expect 2 "$LAKE_VM" run --smp 2 -- sh -c 'exit $(nproc)'
check 'a start that the emulator spoiled is tried again' starts_again
check 'and no other' starts_once
shells
check 'a run that takes too long is ended' expect 124 "$LAKE_VM" run --timeout 4 -- sleep 100
check 'the power cut stops the command' power_cut
check 'the power cut waits for a line of the command' power_cut_when
check 'a command that ends before the power cut is reported' \
	expect 122 "$LAKE_VM" crash --after 30 -- true
check 'writes and flushes are recorded' recorded
if fault_module 6.12 && fault_module 6.1; then
	check 'a module built for 6.12 loads' \
		"$LAKE_VM" run --module "$suite_dir/fault-6.12/fault.ko" -- true
	check 'a module built for 6.1 loads' \
		"$LAKE_VM" run --kernel 6.1 --module "$suite_dir/fault-6.1/fault.ko" -- true
	for mode in warn oops panic; do
		check "a kernel fault fails the run ($mode)" fault $mode
	done
else
	fail 'the fault module builds'
fi
check "only the emulator's own fault, before any module, is booted anew" \
	only_emulator_faults
what_is_named
suite_end
