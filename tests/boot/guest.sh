#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs as a job in the Debian guest; /mnt/share has debs/, repo.git and
# hello.c. Prints "pass CASE" and "fail CASE" lines for the host, and
# "digest NAME VALUE" for what must be equal on ext4 and on a lake.
#   guest.sh first FSTYPE     everything a person would do on a new system
#   guest.sh again FSTYPE     after a reboot: all of it is still there; then as cut 1
#   guest.sh cut FSTYPE N     writes until the power goes (round N)
#   guest.sh uncut FSTYPE     what was acknowledged (in /mnt/share/acked) is there
verb=$1 fstype=$2 round=${3:-0}
keep=/root/keep
rss_max_kib=$((200 * 1024))
export LC_ALL=C GIT_CONFIG_NOSYSTEM=1 HOME=/root

check() {
	name=$1
	shift
	if "$@" >/run/check.log 2>&1; then
		echo "pass $name"
	else
		echo "fail $name"
		echo "--- $name" >&2
		tail -n 20 /run/check.log >&2
	fi
}

# digest_tree DIR: names, types, modes, owners, links and contents.
digest_tree() {
	(
		cd "$1" || exit 1
		find . -xdev ! -type d -printf '%P %y %m %U %G %n %s %l\n' | sort
		find . -xdev -type f -print0 | sort -z | xargs -0 md5sum
	) | md5sum | cut -d' ' -f1
}

root_type() { [ "$(findmnt -no FSTYPE /)" = "$fstype" ]; }

system_runs() {
	state=$(systemctl is-system-running --wait)
	echo "$state"
	systemctl --failed --no-legend
	[ "$state" = running ]
}

# As shipped: Debian itself masks a few; none may be added in /etc.
nothing_masked() {
	! find /etc/systemd/system /run/systemd/system -lname /dev/null | grep .
}

packages_install() {
	dpkg -i /mnt/share/debs/*.deb || return 1
	[ "$(hello)" = 'Hello, world!' ] || return 1
	[ "$(echo '{"a":[1,2]}' | jq -c .a)" = '[1,2]' ] || return 1
	packages_verify
}

packages_verify() {
	dpkg --audit | grep . && return 1
	# man pages and documentation were left out on purpose
	! dpkg --verify hello tree jq libjq1 libonig5 coreutils bash systemd |
		grep -v -E ' /usr/share/(doc|man|info|locale)/'
}

package_is_removed() {
	dpkg --purge tree && [ ! -e /usr/bin/tree ] &&
		dpkg -i /mnt/share/debs/tree_*.deb && tree --version
}

git_works() {
	git config --global --add safe.directory '*'
	rm -rf /root/clone
	git clone -q /mnt/share/repo.git /root/clone || return 1
	git -C /root/clone fsck --strict || return 1
	[ -z "$(git -C /root/clone status --porcelain)" ] || return 1
	echo more >>/root/clone/README.new
	git -C /root/clone add README.new
	git -C /root/clone -c user.name=t -c user.email=t@example.org \
		commit -q -m more && git -C /root/clone gc -q
}

compiler_works() {
	mkdir -p /root/cc && cp /mnt/share/hello.c /root/cc/ && cd /root/cc &&
		gcc -O1 -o hello hello.c && [ "$(./hello 21)" = 42 ]
}

# All of /usr into an archive and out again.
tar_round_trip() {
	rm -rf /var/tmp/usr /var/tmp/usr.tar
	mkdir /var/tmp/usr
	tar --one-file-system -cf /var/tmp/usr.tar -C /usr . || return 1
	tar -xpf /var/tmp/usr.tar -C /var/tmp/usr || return 1
	digest_tree /usr >/run/usr.before
	digest_tree /var/tmp/usr >/run/usr.after
	cat /run/usr.before /run/usr.after
	cmp /run/usr.before /run/usr.after || return 1
	rm -rf /var/tmp/usr /var/tmp/usr.tar
}

database_works() {
	mkdir -p $keep
	rm -f $keep/db*
	sqlite3 $keep/db >/run/sql.out <<-'END' || return 1
	PRAGMA journal_mode=WAL;
	PRAGMA synchronous=FULL;
	CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, body BLOB);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000)
	  INSERT INTO t SELECT i, 'row '||i, zeroblob(i%300) FROM n;
	CREATE INDEX t_name ON t(name);
	DELETE FROM t WHERE id%7=0;
	UPDATE t SET body=zeroblob(700) WHERE id%11=0;
	PRAGMA wal_checkpoint(TRUNCATE);
	INSERT INTO t SELECT id+10000, name, body FROM t WHERE id%5=0;
	END
	head -n 1 /run/sql.out | grep -qx wal && database_sound
}

database_sound() {
	[ "$(sqlite3 $keep/db 'PRAGMA integrity_check')" = ok ] &&
		[ "$(sqlite3 $keep/db 'SELECT count(*), sum(id), sum(length(body)) FROM t')" \
			= "$(cat $keep/db.sum 2>/dev/null || sqlite3 $keep/db \
			'SELECT count(*), sum(id), sum(length(body)) FROM t')" ]
}

# Every kind of file, with what belongs to it.
kinds_make() {
	d=$keep/kinds
	rm -rf $d && mkdir -p $d && cd $d || return 1
	echo text >file && ln file hard && ln -s file soft && mkfifo fifo &&
		mknod null c 1 3 && mknod loop7 b 7 7 || return 1
	truncate -s 64M sparse && echo end >>sparse || return 1
	setfattr -n user.note -v 'a note' file &&
		setfattr -n trusted.t -v t file || return 1
	setfacl -m u:daemon:rw- file && setcap cap_net_raw+ep /usr/bin/hello ||
		return 1
	chown 12:34 hard && chmod 4755 file && touch -d '2001-02-03 04:05:06.789012345Z' file
}

kinds_sound() {
	cd $keep/kinds || return 1
	[ "$(stat -c '%a %u %g %h %s %.9Y' file)" = '4755 12 34 2 5 981173106.789012345' ] ||
		{ stat file; return 1; }
	[ file -ef hard ] && [ "$(readlink soft)" = file ] && [ -p fifo ] &&
		[ "$(stat -c '%t,%T' null)" = 1,3 ] && [ -b loop7 ] || return 1
	[ "$(stat -c %s sparse)" = 67108868 ] && [ "$(tail -c 4 sparse)" = end ] &&
		[ "$(stat -c %b sparse)" -lt 100 ] || { stat sparse; return 1; }
	[ "$(getfattr --only-values -n user.note file)" = 'a note' ] &&
		[ "$(getfattr --only-values -n trusted.t file)" = t ] &&
		getfacl -c file | grep -q '^user:daemon:rw-' &&
		[ "$(getcap /usr/bin/hello)" = '/usr/bin/hello cap_net_raw=ep' ]
}

keep_files() {
	sqlite3 $keep/db 'SELECT count(*), sum(id), sum(length(body)) FROM t' >$keep/db.sum
	cp -a /usr/lib/deeplake/initramfs $keep/copy
	seq 1 200000 >$keep/seq
	digest_tree $keep >/root/keep.digest
}

files_kept() {
	[ "$(digest_tree $keep)" = "$(cat /root/keep.digest)" ] &&
		[ "$(digest_tree /root/clone)" = "$(cat /root/clone.digest)" ]
}

daemon_is_small() {
	pid=$(pgrep -f '^@laked serve')
	kib=$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
	echo "laked: $kib KiB resident" | tee /dev/kmsg >&2
	[ "$kib" -le $rss_max_kib ]
}

# The kernel says at each mount how the lake was left.
last_start_was() { dmesg | grep 'lakefs.*mounted, epoch' | tee /dev/stderr | grep -q "$1"; }

daemon_survives_kill() {
	pid=$(pgrep -f '^@laked serve')
	kill -9 "$pid"
	echo written >$keep/after-kill && sync && [ "$(cat $keep/after-kill)" = written ] &&
		[ "$(pgrep -f '^@laked serve')" != "$pid" ] && rm $keep/after-kill
}

no_fault() {
	! dmesg | grep -E 'BUG:|WARNING:|Oops|lakefs.*(corrupt|shut down)'
}

do_first() {
	check 'packages install from local files' packages_install
	check 'a package is removed and installed again' package_is_removed
	check 'git clones, commits and collects' git_works
	check 'a C program compiles and runs' compiler_works
	check 'tar of /usr and back' tar_round_trip
	check 'SQLite in WAL mode' database_works
	check 'files of every kind are made' kinds_make
	check 'files of every kind are right' kinds_sound
	keep_files
	digest_tree /root/clone >/root/clone.digest
	echo "digest usr $(cat /run/usr.before)"
	echo "digest database $(cat $keep/db.sum | tr '|' ,)"
	echo "digest program $(md5sum </root/cc/hello | cut -d' ' -f1)"
	echo "digest keep $(cat /root/keep.digest)"
	[ "$fstype" != lakefs ] || check 'laked is killed and comes back' daemon_survives_kill
}

do_again() {
	check 'files are kept over the reboot' files_kept
	check 'files of every kind are kept' kinds_sound
	check 'the database is sound after the reboot' database_sound
	check 'the packages are sound after the reboot' packages_verify
	[ "$fstype" != lakefs ] || check 'the lake is found by label and by UUID' lake_has_names
	[ "$fstype" != lakefs ] || check 'the start after a clean stop says clean' last_start_was ', clean'
}

# The root was found by label in the initramfs; udev knows it by both names.
lake_has_names() {
	grep -qw 'root=LABEL=debian' /proc/cmdline || return 1
	[ "$(readlink -f /dev/disk/by-label/debian)" = /dev/vda ] || return 1
	uuid=$(lsblk -no UUID /dev/vda)
	[ "$(lsblk -no FSTYPE /dev/vda)" = lakefs ] && [ -n "$uuid" ] &&
		[ "$(readlink -f "/dev/disk/by-uuid/$uuid")" = /dev/vda ] &&
		lakectl stats / | grep -q "$uuid"
}

# Every line that reaches the host is a promise: that file is durable.
do_cut() {
	dir=/root/cut/$round
	mkdir -p "$dir" && sync /root /root/cut || exit 1
	n=0
	while :; do
		n=$((n + 1))
		seq $n $((n + n % 3000)) >"$dir/$n.tmp" || exit 1
		sync "$dir/$n.tmp" && mv "$dir/$n.tmp" "$dir/$n" && sync "$dir" || exit 1
		echo "acked $round $n"
		# something in flight that nobody was promised
		head -c 300000 /dev/zero >"$dir/noise" && rm -f "$dir/gone.$((n - 5))" &&
			mv "$dir/noise" "$dir/gone.$n"
	done
}

acked_is_there() {
	while read -r word round n; do
		[ "$word" = acked ] || continue
		seq "$n" $((n + n % 3000)) | cmp - "/root/cut/$round/$n" || return 1
	done </mnt/share/acked
}

do_uncut() {
	echo "$(grep -c acked /mnt/share/acked) files were acknowledged" >&2
	check 'everything acknowledged before the power cuts is there' acked_is_there
	[ "$fstype" != lakefs ] || check 'the start after a power cut replays the log' \
		last_start_was ', replayed'
	check 'what was there before the power cuts still is' files_kept
	check 'the database is sound after the power cuts' database_sound
	check 'the packages are sound after the power cuts' packages_verify
}

case $verb in
cut) do_cut ;;
esac
check "the root is $fstype" root_type
check 'the system is running' system_runs
check 'no unit is masked' nothing_masked
do_$verb
[ "$fstype" != lakefs ] || check 'laked stays within 200 MiB' daemon_is_small
check 'no fault in the kernel log' no_fault
[ "$verb" != again ] || do_cut
exit 0
