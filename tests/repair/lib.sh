# SPDX-License-Identifier: MPL-2.0
# For the scripts beside it, which tests/run-repair.sh puts into the busybox guest
# with this file and with that of tests/lake.
. /lib.sh
dev=/dev/vda

# field OFFSET: 32 bits of superblock copy A
field() { dd if=$dev bs=4096 skip=1 count=1 2>/dev/null | od -An -t u4 -j "$1" -N 4 | tr -d ' '; }

# zero DEVICE FROM BLOCKS
zero() { dd if=/dev/zero of="$1" bs=4096 seek="$2" count="$3" conv=notrunc 2>/dev/null; }

# 1 MiB of log is long for this daemon
start() {
	/usr/lib/deeplake/laked-launcher --wait-ready -- serve \
		--socket /run/deeplake/laked.sock --seal-after 1 --base-after 1
}

# base_after N: the daemon has written more bases than that
bases() { lakectl logs | grep -c 'wrote a base'; }
base_after() {
	for _ in $(seq 60); do
		[ "$(bases)" -gt "$1" ] && return 0
		sleep 2
	done
	lakectl stats $l
	lakectl logs | tail -n 20
	return 1
}

# rebuilt DEVICE. 3: the checksum table is gone, and files that were written last
# may have no identity yet that proves them
rebuilt() {
	lakectl repair --rebuild --yes "$1" >/tmp/rebuilt.log
	got=$?
	cat /tmp/rebuilt.log
	{ [ $got = 0 ] || [ $got = 3 ]; } && grep -q ': rebuilt with .* 0 damaged' /tmp/rebuilt.log
}
