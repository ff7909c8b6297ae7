#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon: a lake that has been written through
# the kernel loses its metadata regions and is repaired. /dev/vda: empty.
# Prints `pass NAME` / `fail NAME`.
. /lib.sh
dev=/dev/vda

# refused STATUS TEXT CMD...: ends with STATUS and says TEXT
refused() {
	want=$1 text=$2
	shift 2
	"$@" >/tmp/refused.log 2>&1
	got=$?
	cat /tmp/refused.log
	[ $got = "$want" ] && grep -q "$text" /tmp/refused.log
}

# field OFFSET: 32 bits of superblock copy A
field() { dd if=$dev bs=4096 skip=1 count=1 2>/dev/null | od -An -t u4 -j "$1" -N 4 | tr -d ' '; }
zero() { dd if=/dev/zero of=$dev bs=4096 seek="$1" count="$2" conv=notrunc 2>/dev/null; }
sums() { (cd $l && find . -type f | sort | xargs md5sum); }
shape() { (cd $l && find . | sort | xargs stat -c '%n %A %u %g %h %s %Y'); }

# 1 MiB of log is long for this daemon
start() {
	/usr/lib/deeplake/laked-launcher --wait-ready -- serve \
		--socket /run/deeplake/laked.sock --seal-after 1 --base-after 1
}
check 'the daemon starts' start
lakectl mkfs --label pond $dev >&2 && mount.lakefs $dev $l || exit 1
tar -C / -cf - bin etc lib usr/sbin 2>/dev/null | tar -C $l -xf - 2>/dev/null
mkdir $l/own
head -c 3000001 /dev/urandom >$l/own/large
for i in $(seq 40); do head -c $((i * 900)) /dev/urandom >$l/own/small$i; done
ln $l/own/small7 $l/own/hard
ln -s nowhere $l/own/soft
chmod 4711 $l/own/small8
chown 12:34 $l/own/small9
echo secret >$l/own/gone
sync
rm $l/own/gone
sync
check 'repair refuses a mounted device' refused 11 'mounted' lakectl repair $dev
check 'and its directory' refused 11 'mounted' lakectl repair --rebuild --yes $l
sums >/tmp/sums
shape >/tmp/shape
check 'it unmounts' umount $l
check 'a whole lake needs nothing' refused 0 'nothing to repair' lakectl repair $dev
data=$(field 304) blocks=$(field 136)

zero 1 1
check 'a superblock copy that is gone is written anew' refused 0 'repaired;' lakectl repair $dev
check 'and nothing is left to say' sh -c "! lakectl verify $dev | grep note"

zero 0 "$data"
zero $((blocks - 1)) 1
sync
echo "the first $data blocks of $blocks are gone, and the last one" >&2
before=$(md5sum <$dev)
check 'without its metadata regions it does not mount' sh -c "! mount.lakefs $dev $l"
check 'repair says what it would do' refused 1 'next: .*lakectl repair --rebuild --yes' lakectl repair $dev
check 'and asks for --yes' refused 2 'add --yes' lakectl repair --rebuild $dev
check 'a dry run rebuilds it in memory' refused 0 'would be rebuilt with .* 0 damaged' lakectl repair --rebuild --dry-run $dev
check 'nothing of that changed the device' [ "$(md5sum <$dev)" = "$before" ]
check 'the rebuild' refused 0 ': rebuilt with .* 0 damaged' lakectl repair --rebuild --yes $dev
check 'it mounts again' mount.lakefs $dev $l
sums >/tmp/sums.after
shape >/tmp/shape.after
check 'with every file as it was' cmp /tmp/sums /tmp/sums.after
check 'owners, modes, links, sizes and times too' cmp /tmp/shape /tmp/shape.after
check 'the deleted file stays deleted' [ ! -e $l/own/gone ]
check 'and it can be written to' sh -c "echo new >$l/own/new && sync && [ \$(cat $l/own/new) = new ]"
check 'it unmounts again' umount $l
check 'and is sound, every block of it' lakectl verify --full $dev

# A base takes the log's place when reading that would take long.
busy() { i=0; while [ $i -lt 7000 ]; do echo $i >$l/own/busy$((i % 30)); i=$((i + 1)); done; }
based() {
	for _ in $(seq 60); do
		lakectl logs | grep 'wrote a base' && return 0
		sleep 2
	done
	lakectl stats $l
	lakectl logs | tail -n 20
	return 1
}
check 'the lake mounts' mount.lakefs $dev $l
check 'much is written through the log' busy
check 'it unmounts, all of it archived' umount $l
check 'and mounts again' mount.lakefs $dev $l
check 'the daemon writes a base' based
echo last >$l/own/last
sums >/tmp/sums
shape >/tmp/shape
check 'it unmounts with the base' umount $l
zero 0 "$data"
zero $((blocks - 1)) 1
check 'the plan begins with the base' refused 1 'base' lakectl repair $dev
# rebuilt DEVICE. 3: the checksum table is gone, and files that were written last
# may have no identity yet that proves them
rebuilt() {
	lakectl repair --rebuild --yes "$1" >/tmp/rebuilt.log
	got=$?
	cat /tmp/rebuilt.log
	{ [ $got = 0 ] || [ $got = 3 ]; } && grep -q ': rebuilt with .* 0 damaged' /tmp/rebuilt.log
}
check 'and the lake is rebuilt from it' rebuilt $dev
check 'it mounts once more' mount.lakefs $dev $l
sums >/tmp/sums.after
shape >/tmp/shape.after
check 'with every file as it was before that' cmp /tmp/sums /tmp/sums.after
check 'and everything else' cmp /tmp/shape /tmp/shape.after
check 'it unmounts at the end' umount $l
check 'and is sound' lakectl verify --full $dev

# The newest frame of a log that a power cut ended, and the newest segment of the
# archive: what is damaged is told, and what it costs. `twin` is a copy of the
# device as it would be found if the power went now.
twin=/dev/vdb
cut() { sync && dd if=$dev of=$twin bs=1M conv=notrunc 2>/dev/null; }
bases() { lakectl logs | grep -c 'wrote a base'; }
another() {
	for _ in $(seq 60); do
		[ "$(bases)" -gt "$before" ] && return 0
		sleep 2
	done
	lakectl stats $l
	return 1
}
check 'the repaired lake mounts' mount.lakefs $dev $l
echo first >$l/own/first && sync
echo second >$l/own/second && cut
check 'it unmounts' umount $l
check 'a power cut alone is no damage' lakectl verify --full $twin
check 'a bit of the newest frame of the log turns' damage log-end $twin
check 'verify says that changes are lost' refused 3 'problem: the log is damaged: its last frame' lakectl verify $twin
check 'health does, too' refused 3 'compare what was changed last with a backup' lakectl health $twin
check 'the lake mounts all the same' mount.lakefs $twin $l
check 'with what was there before' [ "$(cat $l/own/first)" = first ]
check 'the daemon has logged it' sh -c "lakectl logs | grep 'its last frame, number [0-9]*, is damaged'"
check 'and tells it while it is mounted' refused 3 'the log is damaged' lakectl verify $l
check 'it can be written to' sh -c "echo third >$l/own/third && sync"
before=$(bases)
check 'it unmounts once more' umount $l
check 'and is sound, which is said without more words' sh -c "! lakectl verify --full $twin | grep -E 'note|problem'"
check 'a bit of the newest segment of the archive turns' damage segment $twin
check 'verify names the segment' refused 0 'note: segment .* is damaged: nothing is lost' lakectl verify --full $twin
check 'repair has it replaced' refused 0 'repaired;' lakectl repair $twin
check 'the lake mounts' mount.lakefs $twin $l
check 'and the daemon writes another base' another
check 'it unmounts at last' umount $l
zero2() { dd if=/dev/zero of=$twin bs=4096 seek="$1" count="$2" conv=notrunc 2>/dev/null; }
zero2 0 "$(field 304)"
zero2 $((blocks - 1)) 1
check 'from which all of it is rebuilt' rebuilt $twin
check 'it mounts for the last time' mount.lakefs $twin $l
check 'with the last file' [ "$(cat $l/own/third)" = third ]
check 'and unmounts' umount $l

# A lake of a later version, which this one can only read.
sum() { sync; dd if=$twin bs=1M iflag=direct 2>/dev/null | md5sum; }
check 'a feature comes that allows reading only' damage features $twin
before=$(sum)
check 'it is not mounted to write' sh -c "! mount.lakefs $twin $l"
check 'gc does not begin' refused 1 'this laked can only read it' lakectl gc --all $twin
check 'it mounts read-only' mount.lakefs $twin $l -o ro
check 'and all is there' [ "$(cat $l/own/third)" = third ]
check 'it is not remounted to write' sh -c "! mount -o remount,rw $l"
check 'it unmounts, too' umount $l
check 'and not a byte of the device is another' [ "$(sum)" = "$before" ]
check 'the feature goes' damage features $twin

# A device that cannot read two of its blocks: copy A of the superblock, and one of
# the log that is read ahead. They stay so when they are written.
bad=/dev/vdc
dd if=$twin of=$bad bs=1M conv=notrunc 2>/dev/null && sync
check 'a block of the device cannot be read' sh -c "! dd if=$bad of=/dev/null bs=4096 skip=400 count=1 iflag=direct 2>/dev/null"
check 'verify tells of it' refused 0 'note: the device cannot read [1-9] of its blocks' lakectl verify $bad
check 'health says what to do' refused 3 'replace the device soon' lakectl health $bad
check 'a dry run of a repair finds it' refused 0 'found.*copy A is damaged.*the device cannot read it' lakectl repair --dry-run $bad
check 'the lake mounts all the same' mount.lakefs $bad $l
check 'with all that was there' [ "$(cat $l/own/third)" = third ]
check 'the daemon has logged it' sh -c "lakectl logs | grep 'vdc: the device cannot read'"
check 'it can be written to' sh -c "echo fourth >$l/own/fourth && sync"
check 'it is verified while it is mounted' lakectl verify $l
check 'it unmounts' umount $l
check 'it mounts once more' mount.lakefs $bad $l
check 'and has that' [ "$(cat $l/own/fourth)" = fourth ]
check 'it unmounts at the very end' umount $l
