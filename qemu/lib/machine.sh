# SPDX-License-Identifier: MPL-2.0
# The emulated machine: builds QEMU's command line and decides whether the
# guest's kernel reported a fault. Source common.sh first.

# QEMU 7.2 emulates cmpxchg16b wrongly: kernels crash at random with it. And it
# runs `rep movsb` byte by byte, eight times as slow as what kernels and C
# libraries use when the processor does not say that this is its quickest way.
LAKE_CPU=max,-cx16,la57=off,pku=off,-erms,-fsrm

# Kernel arguments that make an emulated boot quick and its log useful. An
# oops ends the run at once; stalls are a matter of the host's load here.
LAKE_CMDLINE='console=ttyS0,115200 loglevel=5 panic=-1 oops=panic
	mitigations=off nokaslr cryptomgr.notests random.trust_cpu=on
	tsc=reliable no_timer_check rcupdate.rcu_expedited=1 init_on_alloc=0
	rcupdate.rcu_cpu_stall_suppress=1 audit=0 transparent_hugepage=never
	sysctl.kernel.hung_task_timeout_secs=300
	nowatchdog net.ifnames=0'

# QEMU's arguments, collected by the functions below.
machine_args=()

# With --exact, everything but the kernel is another kind of device: exact.sh.
machine_begin() {
	local smp=$1 mem=$2
	[ -z "$exact" ] || { exact_begin "$smp" "$mem"; return; }
	# Kernels prefer to measure the processor's clock against the PIT; on a
	# busy host that clock then runs several times too fast, and everything
	# times out. The HPET, which ACPI tells of, has no such fault.
	machine_args=(-M "q35,usb=off,smbus=off,vmport=off,pit=off"
		-accel "tcg,thread=multi" -cpu "$LAKE_CPU" -smp "$smp" -m "$mem"
		-nodefaults -no-user-config -display none)
	# A person's guest may reboot; a job's guest ends with its kernel.
	[ "$verb:$root" = shell:lake ] || [ "$verb:$root" = shell:ext4 ] ||
		machine_args+=(-no-reboot)
}

# The emulated processor's clock is the host's. A guest that measures it against
# the HPET finds it a fifth too slow, and all its clocks run ahead; so it is
# told: the kernel prints twice the clock's MHz as "bogomips".
machine_tsc() {
	awk -F: '$1 ~ /^bogomips/ && $2 > 200 {
		printf " tsc_early_khz=%.0f", $2 * 500; exit }' /proc/cpuinfo
}

# Programs at the same addresses each time: the emulator translates the code of
# shared libraries anew wherever it finds them, so that starting a program took
# three times as long. (Where time is a count of instructions it is no matter.)
machine_boot() {
	machine_args+=(-kernel "$1" -initrd "$2")
	machine_cmdline=$3
	[ -n "$exact" ] || machine_cmdline+=" norandmaps$(machine_tsc)"
}

# When all disks are added.
machine_end() {
	[ -z "$exact" ] || machine_cmdline+=$(exact_cmdline)
	machine_args+=(-append "$(printf '%s' "$machine_cmdline" | tr -s '\n\t ' ' ')")
}

# machine_disk ID FILE SERIAL READONLY RECORD BLOCKSIZE BAD
# RECORD: a file that gets every write and flush in dm-log-writes format. The
# log is of no use when requests are merged or when discards are not in it.
# Its own nodes drop flushes: the host's page cache survives a guest's death.
# BAD: numbers of blocks of 4096 bytes, with colons, that cannot be read.
machine_disk() {
	local id=$1 file=${2//,/,,} serial=$3 readonly=$4 record=${5//,/,,}
	local block=$6 bad=${7:-} backend device source=file n=0
	if [ -n "$exact" ]; then
		[ "$readonly" = on ] && exact_disk "$1" "$2" "$3" off ||
			exact_disk "$1" "$2" "$3" on
		return
	fi
	device="virtio-blk-pci,drive=$id,serial=$serial"
	[ -z "$block" ] ||
		device+=",logical_block_size=$block,physical_block_size=$block"
	if [ -n "$record" ]; then
		: >"$5"
		backend="driver=blklogwrites,node-name=$id,log-sector-size=512"
		backend+=",log-super-update-interval=1"
		backend+=",file.driver=file,file.filename=$file,file.cache.no-flush=on"
		backend+=",log.driver=file,log.filename=$record,log.cache.no-flush=on"
		device+=",request-merging=off,discard=off,write-zeroes=off"
	else
		backend="driver=raw,node-name=$id,read-only=$readonly"
		backend+=",discard=unmap,detect-zeroes=off"
		if [ -n "$bad" ]; then
			backend+=",file.driver=blkdebug"
			source=file.image
		fi
		for bad in ${bad//:/ }; do
			backend+=",file.inject-error.$n.event=none,file.inject-error.$n.iotype=read"
			backend+=",file.inject-error.$n.errno=5,file.inject-error.$n.sector=$((bad * 8))"
			n=$((n + 1))
		done
		backend+=",$source.driver=file,$source.filename=$file"
	fi
	machine_args+=(-blockdev "$backend" -device "$device")
}

# machine_overlay ID FILE SERIAL: writes go to a temporary file.
machine_overlay() {
	[ -z "$exact" ] || { exact_disk "$1" "$2" "$3" off; return; }
	machine_args+=(
		-drive "if=none,id=$1,file=${2//,/,,},format=raw,snapshot=on"
		-device "virtio-blk-pci,drive=$1,serial=$3")
}

machine_console_file() { machine_args+=(-serial "file:${1//,/,,}"); }

machine_console_here() {
	machine_args+=(-chardev "stdio,id=con,mux=on,signal=off" -serial chardev:con
		-mon "chardev=con,mode=readline")
}

# machine_ports DIR: the job's ports end in the FIFOs DIR/{stdout,stderr,result}.
machine_ports() {
	local name
	[ -z "$exact" ] || { exact_ports "$1"; return; }
	machine_args+=(-device virtio-serial-pci)
	for name in stdout stderr result; do
		machine_args+=(-chardev "file,id=$name,path=${1//,/,,}/$name"
			-device "virtserialport,chardev=$name,name=lake.$name")
	done
}

machine_net() {
	machine_args+=(-netdev "user,id=net0" -device "virtio-net-pci,netdev=net0,romfile=")
}

# Lines of a console log that no sound run has.
LAKE_FAULTS='Kernel panic|\] (\[ )?BUG[: ]|\] WARNING:|Oops:|general protection fault'
LAKE_FAULTS+='|kernel BUG at|BUG: KASAN|KASAN:|UBSAN:|unable to handle'
LAKE_FAULTS+='|circular locking|inconsistent lock state|recursive locking'
LAKE_FAULTS+='|suspicious RCU|sleeping function called|scheduling while atomic'
LAKE_FAULTS+='|blocked for more than|list_(add|del) corruption|refcount_t:'
LAKE_FAULTS+='|kmemleak: [0-9]+ new|Bad page|unreferenced object'
LAKE_FAULTS+='|lake: (no port|unmounting at the end|saving /mnt/out)'
LAKE_FAULTS+='|lake: (lockdep|kmemleak) was off'

# Prints the first faults of a console log; succeeds when there is one.
console_faults() { grep -a -E -m 5 -- "$LAKE_FAULTS" "$1"; }

# A kernel that boots patches its own code, by way of a breakpoint. An emulated
# processor may still run into one that the other has taken away again (QEMU
# 7.2, on a busy host). That is known by its kind and place: in the kernel's own
# code, which nothing of ours patches, and not on behalf of lakefs, as a jump of
# ours to nowhere could end in such an instruction, too. Such a start is made anew.
console_emulator_fault() {
	grep -a -E -m 1 -- "$LAKE_FAULTS" "$1" | grep -q 'Oops: int3' &&
		grep -a -q 'RIP: 0010:[A-Za-z0-9_.]*+0x' "$1" &&
		! grep -a -q '+0x[0-9a-f]*/0x[0-9a-f]* \[lakefs\]' "$1"
}
