#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# run-all.sh [SUITE...]: runs the suites (all by default), one more at a time than
# there are processors but no more than JOBS (3), prints a table and ends with
# one line "N passed, N failed". A suite that dies, runs into its limit, is
# missing or reports nothing is a failure. What a suite prints is also in
# out/results/NAME.log.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
default_limit=1200

listed_suites() { sed -n 's/^\([a-z][a-z0-9-]*\) .*/\1/p' "$LAKE_TESTS/suites"; }

# Scripts that produce no results of their own.
other_suites() {
	local file name
	for file in "$LAKE_TESTS"/run-*.sh; do
		name=${file##*/run-}
		name=${name%.sh}
		case $name in all | bench | debug) continue ;; esac
		listed_suites | grep -qx "$name" || printf '%s\n' "$name"
	done
}

limit_of() {
	local limit
	limit=$(sed -n "s/^$1 \\([0-9]*\\).*/\\1/p" "$LAKE_TESTS/suites")
	printf '%s\n' "${limit:-$default_limit}"
}

# run_suite NAME: leaves its results file complete whatever happened.
run_suite() {
	local name=$1 script=$LAKE_TESTS/run-$1.sh status=0
	local results=$LAKE_OUT/results/$1.txt
	rm -f "$results"
	if [ ! -f "$script" ]; then
		say "$name: $script does not exist"
		printf 'fail %s is missing\n' "$name" >"$results"
		return
	fi
	timeout -k 20 "$(suite_seconds "$(limit_of "$name")")" bash "$script" \
		</dev/null >&7 2>&1 &
	suite_pid=$!
	wait $suite_pid || status=$?
	touch "$results"
	if [ $status = 124 ] || [ $status = 137 ]; then
		printf 'fail %s ran into its time limit\n' "$name" >>"$results"
	elif [ $status != 0 ] && ! grep -q '^fail ' "$results"; then
		printf 'fail %s ended with status %s\n' "$name" $status >>"$results"
	elif ! grep -q -E '^(pass|fail) ' "$results"; then
		printf 'fail %s reported nothing\n' "$name" >>"$results"
	fi
}

count() { grep -c -s "^$1 " "$LAKE_OUT/results/$2.txt"; }

# With what was said of them and of machines that did not end well: often the end
# of the output is all that is left of a run elsewhere.
print_failures() {
	local name
	printf '\nfailures:\n'
	for name in "${suites[@]}"; do
		sed -n "s/^fail /  $name: /p" "$LAKE_OUT/results/$name.txt"
		grep -q '^fail ' "$LAKE_OUT/results/$name.txt" || continue
		grep -a -E '^ *FAIL .*: |^vm: |^vm\| ' \
			"$LAKE_OUT/results/$name.log" | head -n 40 | sed 's/^/    /'
	done
}

print_table() {
	local name passed failed
	printf '\n%-14s %8s %8s %8s %8s\n' suite passed failed seconds \
		'of CPU'
	for name in "${suites[@]}"; do
		passed=$(count pass "$name")
		failed=$(count fail "$name")
		# shellcheck disable=SC2046 # two numbers
		printf '%-14s %8d %8d %8d %8d\n' "$name" "$passed" "$failed" \
			$(cat "$LAKE_OUT/results/$name.seconds")
		total_passed=$((total_passed + passed))
		total_failed=$((total_failed + failed))
	done
	[ $total_failed = 0 ] || print_failures
	printf '\n'
}

mkdir -p "$LAKE_OUT/results"
if [ $# -gt 0 ]; then
	suites=("$@")
else
	mapfile -t suites < <(listed_suites; other_suites)
fi
"$LAKE_ROOT/qemu/setup.sh" || exit 1
# The Debian image is minutes of waiting for downloads and unpacking: it is made
# while the other suites run. Who needs it waits for its lock, and makes it
# itself if this did not.
case " ${suites[*]} " in
*" boot "*)
	nice "$LAKE_ROOT/qemu/image/debian.sh" lake </dev/null \
		>"$LAKE_OUT/image.log" 2>&1 &
	image_job=$!
	;;
esac
# Whoever interrupts this ends all of it.
trap 'running=$(jobs -p); [ -z "$running" ] || kill $running 2>/dev/null' EXIT
trap 'exit 130' INT TERM
# Most guests have one processor, and wait for a device or a clock now and then:
# a suite more than there are processors keeps all of them busy.
jobs=${JOBS:-3}
[ "$jobs" -le $(($(nproc) + 1)) ] || jobs=$(($(nproc) + 1))

# The second line of `times`: user and system time of all that was waited for.
cpu_of_children() {
	awk 'NR == 2 { gsub(/s/, ""); split($1, u, "m"); split($2, s, "m")
		print int((u[1] + s[1]) * 60 + u[2] + s[2]) }' "$1"
}

# one NAME: a suite from beginning to end, its lines with its name before them.
one() {
	local name=$1 start=$SECONDS printer suite_pid=
	trap '[ -z "$suite_pid" ] || kill $suite_pid; exit 143' TERM
	exec 7> >(tee "$LAKE_OUT/results/$name.log" | sed -u "s/^/$name: /" >&2)
	printer=$!
	step "suite $name" 2>&7
	run_suite "$name"
	exec 7>&-
	wait $printer
	times >"$LAKE_OUT/results/$name.times"	# of this very shell: no pipe
	printf '%d %d\n' $((SECONDS - start)) \
		"$(cpu_of_children "$LAKE_OUT/results/$name.times")" \
		>"$LAKE_OUT/results/$name.seconds"
}

total_passed=0 total_failed=0
for name in "${suites[@]}"; do
	rm -f "$LAKE_OUT/results/$name".{txt,seconds}
	while [ "$(jobs -rp | grep -cvx "${image_job:-none}")" -ge "$jobs" ]; do
		wait -n
	done
	one "$name" &
done
running() { jobs -rp | grep -qvx "${image_job:-none}"; }
while running; do wait -n; done
print_table
printf '%d passed, %d failed\n' $total_passed $total_failed
[ $total_failed = 0 ] && [ $total_passed -gt 0 ]
