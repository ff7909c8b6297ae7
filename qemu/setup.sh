#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# setup.sh [KERNEL...]: host packages, the .NET SDK, and the kernels named
# (default 6.12). Silent and quick when all is there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib/common.sh"
. "$here/lib/host.sh"
check_dotnet
ensure_host_packages
[ $# -gt 0 ] || set -- 6.12
for kernel in "$@"; do
	"$here/kernel.sh" "$kernel" >/dev/null
done
