#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Operations on a lake as ratios to ext4 in the same boot: lower is better.
# Prints a table and writes out/bench/operations.json (an array of objects:
# name, lakefs and ext4 in seconds, ratio). Figures of an emulated guest: only
# the ratios mean something.
#   run.sh [ROUNDS]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../qemu/lib/common.sh"
scratch=$(mktemp -d "$LAKE_BUILD/bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
make -s -C "$here" OUT="$scratch/b"
cp "$here/guest.sh" "$scratch/b/guest.sh"
truncate -s 512M "$scratch/ext4"
mkfs.ext4 -q -F "$scratch/ext4"
"$("$LAKE_ROOT/qemu/parts.sh" tree)/usr/lib/deeplake/lakectl" mkfs --size 512M \
	"$scratch/lake" >/dev/null
mkdir -p "$LAKE_OUT/bench"
"$LAKE_ROOT/qemu/vm" run --lake --smp "${SMP:-2}" --mem 1536 --timeout 1500 \
	--disk "$scratch/ext4" --disk "$scratch/lake" --file "$scratch/b:/b" \
	--env ROUNDS="${1:-3}" -- sh /b/guest.sh >"$scratch/lines"
awk '
	$1 > 0 { if (!($3 in order)) { order[$3] = ++n; name[n] = $3 }
		 k = $2 SUBSEP $3
		 if (!(k in best) || $4 < best[k]) best[k] = $4 }
	END {
		if (n == 0) exit 1
		printf "[\n" > json
		printf "%-24s %10s %10s %8s\n", "operation", "lakefs s", "ext4 s", "ratio"
		for (i = 1; i <= n; i++) {
			l = best["lakefs" SUBSEP name[i]]; e = best["ext4" SUBSEP name[i]]
			printf "%-24s %10.4f %10.4f %8.2f\n", name[i], l, e, l / e
			printf "  {\"name\": \"%s\", \"lakefs\": %s, \"peer\": \"ext4\", \"ext4\": %s, \"ratio\": %.3f}%s\n", \
				name[i], l, e, l / e, i < n ? "," : "" > json
		}
		printf "]\n" > json
	}' json="$LAKE_OUT/bench/operations.json" "$scratch/lines"
