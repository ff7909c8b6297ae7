#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Every .NET test project of the tree, built with warnings as errors.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin unit
cd "$LAKE_ROOT" || exit 1

if dotnet build DeepLake.sln -c Release -nologo -v q >"$suite_dir/build.log" 2>&1; then
	pass "the solution builds without warnings"
else
	fail "the solution builds without warnings"
	grep -E 'error|warning' "$suite_dir/build.log" | sort -u | head -n 40 >&2
	exit 1
fi

# The projects that say they hold tests; all of them must be in the solution,
# or they would not have been built.
mapfile -t projects < <(grep -rl --include='*.csproj' '<IsTestProject>true' tests | sort)
[ ${#projects[@]} -gt 0 ] || fail "there are test projects"
for project in "${projects[@]}"; do
	name=$(basename "$project" .csproj)
	dotnet sln DeepLake.sln list | grep -qF "$name.csproj" ||
		fail "$name is in the solution"
	trx=$suite_dir/$name.trx
	dotnet test "$project" -c Release --no-build -nologo -v q \
		--logger "trx;LogFileName=$trx" >"$suite_dir/$name.log" 2>&1
	status=$?
	if [ ! -f "$trx" ]; then
		fail "$name ran" "status $status"
		tail -n 30 "$suite_dir/$name.log" >&2
		continue
	fi
	python3 "$LAKE_TESTS/lib/trx-results.py" "$trx" >"$suite_dir/$name.txt"
	cat "$suite_dir/$name.txt" >>"$suite_results"
	say "  $name: $(grep -c '^pass' "$suite_dir/$name.txt") passed," \
		"$(grep -c '^fail' "$suite_dir/$name.txt") failed"
	[ $status = 0 ] || grep -q '^fail ' "$suite_dir/$name.txt" ||
		fail "$name ended well" "status $status"
done
suite_end
