#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# The module builds for every kernel from one source, with W=1 and sparse, and
# without a warning in our files.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin kernel

# build KERNEL EXTRA...: compiles everything anew; output in $suite_dir/log.
build() {
	local kernel=$1 dir out=$suite_dir/build-$1
	shift
	dir=$("$LAKE_ROOT/qemu/kernel.sh" "$kernel") || return 1
	rm -rf "$out"
	make -s -j"$(nproc)" -C "$LAKE_ROOT/kernel" KDIR="$dir/build" OUT="$out" \
		CC="$(cat "$dir/cc")" "$@" >"$suite_dir/log" 2>&1 || return 1
	[ -f "$out/kernel/lakefs.ko" ]
}

# Lines that speak of our own files; the kernel's headers have warnings of
# their own under sparse.
own_warnings() {
	grep -E "(^|/)(kernel|proto)/[a-z0-9_]+\.[ch]:.*(warning|error)|^ERROR: modpost" \
		"$suite_dir/log"
}

# sparse does not understand the newest kernel's headers.
for kernel in 6.12 6.1 newest; do
	sparse=C=2
	[ $kernel != newest ] || sparse=C=0
	if ! build $kernel W=1 $sparse; then
		fail "lakefs.ko builds for $kernel"
		{ grep -E "error|warning|Error" "$suite_dir/log" || tail "$suite_dir/log"; } |
			head -n 30 >&2
	elif own_warnings >&2; then
		fail "lakefs.ko builds for $kernel without a warning (W=1 $sparse)"
	else
		pass "lakefs.ko builds for $kernel without a warning (W=1 $sparse)"
	fi
done
suite_end
