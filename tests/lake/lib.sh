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

# laked: the daemon's process
laked() { ps -o pid,args | sed -n 's/^ *\([0-9]*\) .*[@]laked serve.*/\1/p'; }
