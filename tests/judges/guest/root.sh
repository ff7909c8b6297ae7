# SPDX-License-Identifier: MPL-2.0
# A root of ordinary Debian programs (the --tools image) to chroot into, for
# judges that expect one; changes of it are kept in memory. Source common.sh
# first.

make_root() {
	modprobe -q overlay
	mkdir -p /t /layer /scratch /m
	mount -t tmpfs tmpfs /layer
	mkdir /layer/upper /layer/work
	mount -t overlay -o lowerdir=/tools,upperdir=/layer/upper,workdir=/layer/work \
		overlay /t || return 1
	for dir in bin sbin lib lib64; do
		[ -e /t/$dir ] || ln -s usr/$dir /t/$dir
	done
	for dir in dev dev/pts dev/shm proc sys run tmp mnt/share opt; do
		mkdir -p /t/$dir
		mount -o bind /$dir /t/$dir
	done
	mkdir -p /t/m /t/scratch /t/root /t/etc /t/var/tmp /t/lib/modules
	mount -o bind /lib/modules /t/lib/modules
	if [ -d /opt/deeplake ]; then
		mkdir -p /t/opt/deeplake /t/usr/lib/deeplake
		mount -o bind /opt/deeplake /t/opt/deeplake
		mount -o bind /opt/deeplake/usr/lib/deeplake /t/usr/lib/deeplake
		ln -sf /opt/deeplake/usr/sbin/* /t/usr/sbin/
		ln -sf /opt/deeplake/usr/bin/* /t/usr/bin/
	fi
	ln -sf /proc/self/mounts /t/etc/mtab
	: >/t/etc/fstab
	echo lake >/t/etc/hostname
	hostname lake
	printf '127.0.0.1 localhost lake\n' >/t/etc/hosts
	cat >/t/etc/passwd <<-'END'
	root:x:0:0:root:/root:/bin/bash
	daemon:x:1:1:daemon:/:/bin/bash
	bin:x:2:2:bin:/:/bin/bash
	nobody:x:65534:65534:nobody:/:/bin/bash
	fsgqa:x:1000:1000::/tmp:/bin/bash
	fsgqa2:x:1001:1001::/tmp:/bin/bash
	123456-fsgqa:x:1002:1002::/tmp:/bin/bash
	END
	cat >/t/etc/group <<-'END'
	root:x:0:
	daemon:x:1:
	bin:x:2:
	sys:x:3:
	nogroup:x:65534:
	fsgqa:x:1000:
	fsgqa2:x:1001:
	123456-fsgqa:x:1002:
	END
	# Whoever asks may become anyone: what `su` is for in tests. Without rules
	# for all others nothing works.
	mkdir -p /t/etc/pam.d
	for rule in auth account session password; do
		echo "$rule required pam_permit.so"
	done >/t/etc/pam.d/other
	cp /t/etc/pam.d/other /t/etc/pam.d/su
	cp /t/etc/pam.d/other /t/etc/pam.d/su-l
	[ -e /t/bin/sh ] || ln -s bash /t/bin/sh
	[ -e /t/usr/bin/awk ] || ln -s gawk /t/usr/bin/awk
}

in_root() {
	env -u LD_LIBRARY_PATH PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		chroot /t "$@"
}
