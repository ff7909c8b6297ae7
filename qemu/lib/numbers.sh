# SPDX-License-Identifier: MPL-2.0
# Processors and memory of a guest, looked at before anything is built: QEMU's
# own words name neither option nor remedy. Source common.sh first.

readonly LAKE_SMP_MAX=255 LAKE_MEM_MIN=64 LAKE_MEM_MIN_DEBIAN=256

# smp_check WHAT NUMBER
smp_check() {
	[[ $2 =~ ^[1-9][0-9]{0,2}$ ]] && [ "$2" -le $LAKE_SMP_MAX ] ||
		die "$1: '$2' is no number of processors; give a whole number from 1 to $LAKE_SMP_MAX, such as 2"
}

# mem_check WHAT SIZE ROOT: the Debian image and the daemon need more.
mem_check() {
	local what=$1 size=$2 min=$LAKE_MEM_MIN mib of='the small guest'
	[[ $size =~ ^[0-9]{1,7}[MG]$ ]] ||
		die "$what: '$size' is no size of memory; give whole MiB or GiB with their unit, such as 512M or 2G"
	mib=$((10#${size%[MG]}))
	case $size in *G) mib=$((mib * 1024)) ;; esac
	[ "$3" = busybox ] || min=$LAKE_MEM_MIN_DEBIAN of='a Debian guest'
	[ $mib -ge $min ] || die "$what: $size is too little for $of; give ${min}M or more"
	[ $mib -le "$(host_mib)" ] ||
		die "$what: $size is more than this machine has ($(host_mib) MiB with its swap); give less"
}

# The kernel refuses a program more than that.
host_mib() { awk '/^(MemTotal|SwapTotal):/ { kib += $2 } END { print int(kib / 1024) }' /proc/meminfo; }
