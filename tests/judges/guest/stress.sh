#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# stress-ng's file system class, one stressor after the other, with checks of
# what it reads. SECONDS_EACH=30 for each; TESTS names some stressors.
. "$(dirname "$0")/common.sh"
make_fs /dev/vda && mount_fs /dev/vda /m || exit 1
mkdir /m/stress

# Its exit status tells what could not run (3, 4: no resource, not there) from
# what went wrong.
run() { # STRESSOR
	timeout $((${SECONDS_EACH:-30} * 4 + 120)) \
		stress-ng --temp-path /m/stress --verify --oomable \
		--timeout "${SECONDS_EACH:-30}" "--$1" 2 >/tmp/stress.log 2>&1
	status=$?
	case $status in
	0) grep -q ' skipped: [1-9]' /tmp/stress.log && echo "skip $1" ||
		echo "pass $1" ;;
	3 | 4) echo "skip $1" ;;
	*)
		echo "fail $1"
		echo "    $1: status $status" >&2
		tail -n 30 /tmp/stress.log | sed 's/^/    /' >&2
		;;
	esac
}

all=$(stress-ng --class 'filesystem?' 2>&1 | sed -n 's/^class .*stressors: //p')
[ -n "$all" ] || { echo 'fail the list of stressors'; exit 1; }
for name in ${TESTS:-$all}; do run "$name"; done
check 'it left nothing' rmdir /m/stress
check_end /dev/vda /m
