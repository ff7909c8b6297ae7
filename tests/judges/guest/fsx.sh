#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# fsx: random operations on one file, compared with a copy in memory. Each way
# of using a file, each seed, OPS operations.
. "$(dirname "$0")/common.sh"
LD_LIBRARY_PATH=/mnt/share/xfstests/lib/host
export LD_LIBRARY_PATH
fsx=/mnt/share/xfstests/ltp/fsx
OPS=${OPS:-50000}
make_fs /dev/vda && mount_fs /dev/vda /m || exit 1

# The last lines of fsx say what differs; its log of operations is long.
run() { # NAME OPTION...
	name=$1
	shift
	for seed in ${SEEDS:-1 2}; do
		check "$name, $OPS operations, seed $seed" \
			$fsx -q -N "$OPS" -S "$seed" -P /tmp "$@" "/m/$name"
	done
}

want() { case " ${TESTS:-all} " in *" $1 "* | ' all ') return 0 ;; esac; return 1; }

want buffered && run buffered -l 500000
want unaligned && run unaligned -l 65536 -o 3000
want nommap && run nommap -l 500000 -R -W
want direct && run direct -l 500000 -Z -R -W -r 4096 -w 4096 -t 4096
want sectors && run sectors -l 500000 -Z -R -W -r 512 -w 512 -t 512
want holes && run holes -l 2000000 -o 4096
want sync && run sync -l 200000 -c 50
want flushed && run flushed -l 500000 -f
want behind && run behind -l 500000 -e 1	# junk behind the end, by mmap
check_end /dev/vda /m
