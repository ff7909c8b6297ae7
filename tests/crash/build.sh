#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Builds lakecrash into build/crash; by one at a time, as suites run side by side.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
. "$here/../../qemu/lib/common.sh"
with_lock tests-crash make -s -C "$here" OUT="$LAKE_BUILD/crash" >&2
