# SPDX-License-Identifier: MPL-2.0
# Shared by the scripts under qemu/ and tests/: places, messages, locks, stamps.
# Source it from bash; it defines functions and a few read-only paths only.

if [ -z "${LAKE_ROOT:-}" ]; then
	LAKE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fi
LAKE_BUILD=$LAKE_ROOT/build
LAKE_OUT=$LAKE_ROOT/out
export LAKE_ROOT

# Messages go to standard error: standard output belongs to the guest's command.
say() { printf '%s\n' "$*" >&2; }
step() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 125
}

have() { command -v "$1" >/dev/null 2>&1; }

# with_lock NAME|/PATH CMD...: several checks may run side by side; each thing is
# built by one of them while the others wait. The lock is not taken again by
# the commands it runs (they see LAKE_LOCKS).
with_lock() {
	local name=$1 file
	shift
	case $name in /*) file=$name ;; *) file=$LAKE_BUILD/locks/$name ;; esac
	case " ${LAKE_LOCKS:-} " in *" $name "*) "$@"; return ;; esac
	mkdir -p "${file%/*}"
	(
		flock 9
		LAKE_LOCKS="${LAKE_LOCKS:-} $name" "$@" 9>&-
	) 9>"$file"
}

# digest_of FILE...: one hash over names and contents, for stamps.
digest_of() { sha256sum -- "$@" | sha256sum | cut -c1-16; }

# digest_text TEXT...: a hash of the arguments.
digest_text() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

# stamp_ok FILE KEY: FILE exists and holds KEY.
stamp_ok() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# quote ARG...: the arguments as one line any POSIX shell reads back unchanged.
quote() {
	local arg sep=
	for arg in "$@"; do
		printf "%s'%s'" "$sep" "${arg//\'/\'\\\'\'}"
		sep=' '
	done
}

. "$LAKE_ROOT/qemu/lib/progress.sh"
