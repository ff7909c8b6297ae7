# SPDX-License-Identifier: MPL-2.0
# The exact machine: guest time is a count of instructions, so that the same
# run gives the same times, to the nanosecond, on any host under any load.
# Nothing in it may answer when the host likes: no virtio device, no second
# thread, no random numbers of the host. Disks are non-volatile memory, ports
# are serial lines that end in ordinary files. Source machine.sh first.

# One instruction is 2 ns; time in which every processor waits is skipped.
exact_begin() {
	local smp=$1 mem=$2
	machine_args=(-M "q35,usb=off,smbus=off,vmport=off,nvdimm=on"
		-accel "tcg,thread=single" -icount "shift=1,sleep=off"
		-cpu "$LAKE_CPU,-rdrand,-rdseed" -smp "$smp"
		-m "$mem,slots=8,maxmem=64G" -seed 42
		-rtc "base=2026-01-01,clock=vm"
		-nodefaults -no-user-config -display none -no-reboot)
	LAKE_CMDLINE=${LAKE_CMDLINE/trust_cpu=on/trust_cpu=off}
	exact_disks=()
}

# exact_disk ID FILE SERIAL SHARED: changes of a disk that is not SHARED are
# dropped. The guest learns from its command line which is which, in the order
# of their addresses, which is the order here.
exact_disk() {
	local id=$1 file=$2 serial=$3 shared=$4 size
	truncate -s %2M "$file" # what the memory map of the guest is made of
	size=$(stat -L -c %s "$file")
	machine_args+=(-object "memory-backend-file,id=$id,share=$shared,mem-path=${file//,/,,},size=$size"
		-device "nvdimm,memdev=$id,id=nv-$id")
	exact_disks+=("$serial")
}

# exact_cmdline: kernel arguments that say what exact_disk added.
exact_cmdline() {
	local IFS=,
	printf ' lake.disks=%s' "${exact_disks[*]}"
}

# exact_ports DIR: like machine_ports. A serial line's default interrupt is
# another's too; the ports get their own.
exact_ports() {
	local name n=1 ports=(0 0x2f8:3 0x3e8:5 0x2e8:7)
	for name in stdout stderr result; do
		machine_args+=(-chardev "file,id=$name,path=${1//,/,,}/$name"
			-device "isa-serial,chardev=$name,index=$n,iobase=${ports[n]%:*},irq=${ports[n]#*:}")
		n=$((n + 1))
	done
}
