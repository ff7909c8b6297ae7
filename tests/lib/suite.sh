# SPDX-License-Identifier: MPL-2.0
# For tests/run-*.sh: results go to out/results/NAME.txt, one line a case,
# `pass CASE` or `fail CASE`; tests/run-all.sh counts them.
. "$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/qemu/lib/common.sh"
LAKE_TESTS=$LAKE_ROOT/tests
LAKE_VM=$LAKE_ROOT/qemu/vm

# suite_begin NAME: starts a new results file and a scratch folder, $suite_dir.
suite_begin() {
	suite_name=$1
	mkdir -p "$LAKE_OUT/results" "$LAKE_BUILD/tests"
	suite_results=$LAKE_OUT/results/$1.txt
	: >"$suite_results"
	suite_dir=$(mktemp -d "$LAKE_BUILD/tests/$1.XXXXXX")
	trap 'rm -rf "$suite_dir"' EXIT
}

# pass CASE / fail CASE [WHY...]: one result.
pass() {
	printf 'pass %s\n' "$1" >>"$suite_results"
	say "  pass $1"
}

fail() {
	printf 'fail %s\n' "$1" >>"$suite_results"
	say "  FAIL $1${2:+: ${*:2}}"
}

# check CASE CMD...: passes when CMD succeeds; shows its output when not.
check() {
	local name=$1
	shift
	if "$@" >"$suite_dir/check.log" 2>&1; then
		pass "$name"
	else
		fail "$name" "status $?"
		sed 's/^/    /' "$suite_dir/check.log" | tail -n 40 >&2
	fi
}

# suite_collect FILE PREFIX: results a guest wrote in the same form.
suite_collect() {
	local word name
	[ -s "$1" ] || { fail "$2" "no results came back"; return; }
	while read -r word name; do
		case $word in
		pass) pass "$2$name" ;;
		fail) fail "$2$name" ;;
		esac
	done <"$1"
}

# build_test FOLDER NAME: makes tests/FOLDER into build/tests/NAME. Suites run side
# by side and share these programs.
build_test() {
	with_lock "tests-$2" make -s -C "$LAKE_TESTS/$1" \
		OUT="$LAKE_BUILD/tests/$2" >&2
}

# suite_seconds N: a time limit; the debug kernel takes several times as long.
suite_seconds() {
	if [ "${KERNEL:-}" = debug ]; then
		echo $(($1 * 6))
	else
		echo "$1"
	fi
}

# suite_end: the script's exit status.
suite_end() {
	! grep -q '^fail ' "$suite_results"
}
