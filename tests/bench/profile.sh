#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# profile.sh FILESYSTEM ROW...: which functions the instructions of these rows
# go to, in kernel, module, daemon and program, counted one by one.
#   TOP=30   functions listed for each row
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ $# -ge 2 ] || die "usage: profile.sh FILESYSTEM ROW..."
fs=$1
shift
bench_scratch
bench_stage
cc -O2 -Wall -Wextra -Werror -fPIC -shared -o "$scratch/count.so" \
	"$here/profile/count.c"
bench_guest "$fs" "$scratch/lines" "$*" --out "$scratch/out" --env PROFILE=1 \
	--plugin "$scratch/count.so,out=$scratch/counts"
python3 "$here/profile/report.py" "$scratch/counts" "$scratch/lines" \
	"$scratch/out" "${TOP:-30}"
