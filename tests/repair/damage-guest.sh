#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest, with the real daemon: a lake of which a part is damaged, is
# of a later version, or cannot be read by the device. /dev/vda and vdb: empty;
# vdc: cannot read some of its blocks. Prints `pass NAME` / `fail NAME`.
. /repair.sh

# The newest frame of a log that a power cut ended, and the newest segment of the
# archive: what is damaged is told, and what it costs. `twin` is a copy of the
# device as it would be found if the power went now.
twin=/dev/vdb
cp=$(ls /tools/bin/cp /tools/usr/bin/cp 2>/dev/null | head -n 1) # that knows reflink
cut() { sync && dd if=$dev of=$twin bs=1M conv=notrunc 2>/dev/null; }
check 'the daemon starts' start
lakectl mkfs --label pond $dev >&2 && mount.lakefs $dev $l || exit 1
blocks=$(field 136)
mkdir $l/own
for i in $(seq 40); do head -c $((i * 900)) /dev/urandom >$l/own/small$i; done
sync
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
check 'and the daemon writes a base' base_after "$before"
check 'it unmounts at last' umount $l
zero $twin 0 "$(field 304)"
zero $twin $((blocks - 1)) 1
check 'from which all of it is rebuilt' rebuilt $twin
check 'it mounts for the last time' mount.lakefs $twin $l
check 'with the last file' [ "$(cat $l/own/third)" = third ]
check 'and unmounts' umount $l

# A clone that ends before the damaged byte, inside its block, proves nothing of it.
check 'the first lake mounts' mount.lakefs $dev $l
# of all files: what is not sealed yet is read without a look at its checksum
identities() { [ "$(counter objects)" = $(($(find $l -type f | wc -l))) ]; }
head -c 100000 /dev/urandom >$l/own/long
$cp --reflink=always $l/own/long $l/own/short && truncate -s 99000 $l/own/short
check 'a file and its shorter clone get an identity' within 120 identities
check 'a bit behind the end of the clone turns' /sbin/flip $l/own/long 99500 $dev
check 'it unmounts with that' umount $l
check 'repair --full does not make it right' refused 3 'damaged data, which no repair brings back' lakectl repair --full $dev
check 'verify names the file' refused 3 'own/long.*damaged' lakectl verify --full $dev
check 'it mounts with the damage' mount.lakefs $dev $l
check 'and the block is read in neither' sh -c "! cat $l/own/long && ! cat $l/own/short"
check 'it unmounts, damaged' umount $l

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
