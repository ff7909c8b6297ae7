#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In the busybox guest: ext4 on /dev/vda and a lake on /dev/vdb, by turns.
set -e
mkdir -p /e /l
modprobe -q ext4 || true
mount -t ext4 /dev/vda /e
mount.lakefs /dev/vdb /l
round=0
# round 0 warms the daemon's compiled code and is not counted
while [ $round -le "${ROUNDS:-3}" ]; do
	for fs in ext4:/e lakefs:/l; do
		/b/lakebench "${fs#*:}" | sed "s/^/$round ${fs%%:*} /"
	done
	round=$((round + 1))
done
umount /l
umount /e
