#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# In a Debian guest that has DKMS, its kernel's headers and nothing of
# DeepLake: the package builds the module, which serves a lake in an image
# file, and goes without a trace. /t: the package; /mnt/share: laked and tools.
# Prints `pass NAME` / `fail NAME`.
release=$(uname -r)
version=$(dpkg-deb -f /t/lakefs-dkms.deb Version)

check() { # NAME CMD...
	name=$1
	shift
	if "$@" >/tmp/check.log 2>&1; then
		echo "pass dkms: $name"
	else
		echo "fail dkms: $name"
		sed 's/^/    /' /tmp/check.log | tail -n 40 >&2
		cat "/var/lib/dkms/lakefs/$version/build/make.log" >&2 2>/dev/null
	fi
}

is_built() {
	dkms status -m lakefs -v "$version" | grep "$release.*installed"
}

# as the README says it
example() {
	lakectl mkfs --size 1G /var/tmp/lake.img &&
		mount -t lakefs "$(losetup -f --show /var/tmp/lake.img)" /mnt/lake
}

write_tree() {
	cp -r /usr/src/lakefs-* /mnt/lake/tree && sync &&
		diff -r /usr/src/lakefs-* /mnt/lake/tree
}

again() {
	umount /mnt/lake && mount -t lakefs /dev/loop0 /mnt/lake &&
		diff -r /usr/src/lakefs-* /mnt/lake/tree
}

echo "kernel $release, dkms $(dpkg-query -W -f '${Version}' dkms)" >&2
mkdir -p /mnt/lake
check 'no module is there before' sh -c '! modinfo lakefs'
check 'the package builds the module' dpkg -i /t/lakefs-dkms.deb
cat /tmp/check.log >&2
check 'dkms lists it as installed' is_built
check 'for this kernel' sh -c "modinfo -F vermagic lakefs | grep '^$release '"
check 'it loads' modprobe lakefs
cp -dR /mnt/share/usr /
check 'a lake in an image file mounts' example
check 'it holds files' write_tree
check 'also after it was mounted anew' again
check 'it unmounts' umount /mnt/lake
check 'and is sound' lakectl verify --full /dev/loop0
check 'the daemon stops' /usr/lib/deeplake/laked-launcher --stop
check 'the module unloads' rmmod lakefs
check 'the package can be removed' dpkg -r lakefs-dkms
check 'and the module with it' sh -c '! modinfo lakefs && ! dkms status | grep lakefs'
check 'and its source' sh -c '! ls -d /usr/src/lakefs-*'
