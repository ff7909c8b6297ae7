# SPDX-License-Identifier: MPL-2.0
# For the scripts beside it, which tests/run-lake.sh puts into the busybox guest
# with this file: where the lake is, results, and what they have in common.
l=/lake
mkdir -p $l

# check NAME CMD...: `pass NAME` when CMD succeeds, else `fail NAME`, and what it
# said on standard error.
check() {
	name=$1
	shift
	if "$@" >/tmp/check.log 2>&1; then
		echo "pass $name"
	else
		echo "fail $name"
		sed 's/^/    /' /tmp/check.log >&2
	fi
}

# refused STATUS TEXT CMD...: ends with STATUS and says TEXT
refused() {
	want=$1 text=$2
	shift 2
	"$@" >/tmp/refused.log 2>&1
	got=$?
	cat /tmp/refused.log
	[ $got = "$want" ] && grep -qi "$text" /tmp/refused.log
}

# start: the daemon, which seals after one second; $serve: what else it is told
start() {
	/usr/lib/deeplake/laked-launcher --wait-ready -- serve \
		--socket /run/deeplake/laked.sock --seal-after 1 $serve
}

# from_device: what is read from here on is
from_device() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

# used_kib: of the lake, as df tells
used_kib() { df -k $l | awk 'NR == 2 { print $3 }'; }

# laked: the daemon's process
laked() { ps -o pid,args | sed -n 's/^ *\([0-9]*\) .*[@]laked serve.*/\1/p'; }

# counter NAME: of what `look` or `within` saw last
look() { lakectl stats --json $l >/tmp/stats; }
counter() { tr ',{' '\n\n' </tmp/stats | sed -n "s/^\"$1\":\([0-9]*\).*/\1/p"; }

# within SECONDS CONDITION...: it holds at some moment of that time; it finds
# numbers with `counter`. One lakectl looks all the time, as starting programs
# costs an emulated guest more than what is waited for.
within() {
	end=$(($(date +%s) + $1))
	shift
	while [ "$(date +%s)" -lt $end ]; do
		lakectl stats --json --every 3 $l | comes_to_hold "$@" && return 0
		sleep 1	# that daemon was killed, perhaps
	done
	lakectl stats $l
	lakectl logs 2>/dev/null | tail -n 20
	return 1
}

comes_to_hold() {
	while read -r line; do
		echo "$line" >/tmp/stats
		"$@" && return 0
		[ "$(date +%s)" -lt $end ] || return 1
	done
	return 1
}
