#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon: a lake that has been written through
# the kernel loses its metadata regions and is repaired. /dev/vda: empty.
# Prints `pass NAME` / `fail NAME`.
. /repair.sh

sums() { (cd $l && find . -type f | sort | xargs md5sum); }
shape() { (cd $l && find . | sort | xargs stat -c '%n %A %u %g %h %s %Y'); }

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

zero $dev 1 1
check 'a superblock copy that is gone is written anew' refused 0 'repaired;' lakectl repair $dev
check 'and nothing is left to say' sh -c "! lakectl verify $dev | grep note"

zero $dev 0 "$data"
zero $dev $((blocks - 1)) 1
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
check 'the lake mounts' mount.lakefs $dev $l
check 'much is written through the log' busy
check 'it unmounts, all of it archived' umount $l
check 'and mounts again' mount.lakefs $dev $l
check 'the daemon writes a base' base_after 0
echo last >$l/own/last
sums >/tmp/sums
shape >/tmp/shape
check 'it unmounts with the base' umount $l
zero $dev 0 "$data"
zero $dev $((blocks - 1)) 1
check 'the plan begins with the base' refused 1 'base' lakectl repair $dev
check 'and the lake is rebuilt from it' rebuilt $dev
check 'it mounts once more' mount.lakefs $dev $l
sums >/tmp/sums.after
shape >/tmp/shape.after
check 'with every file as it was before that' cmp /tmp/sums /tmp/sums.after
check 'and everything else' cmp /tmp/shape /tmp/shape.after
check 'it unmounts at the end' umount $l
check 'and is sound' lakectl verify --full $dev
