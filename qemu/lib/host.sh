# SPDX-License-Identifier: MPL-2.0
# Host set-up: the packages of the host's own Debian release that building and
# testing need, and the .NET SDK. Source common.sh first.

# What is looked for, and the package that has it. A file stands for a package
# whose presence no command shows.
LAKE_HOST_NEEDS='
qemu-system-x86_64 qemu-system-x86
make make
gcc gcc
gcc-12 gcc-12
/usr/lib/x86_64-linux-gnu/libc.a libc6-dev
/usr/lib/x86_64-linux-gnu/libelf.so.1 libelf1
mmdebstrap mmdebstrap
zstd zstd
xz xz-utils
cpio cpio
mkfs.ext4 e2fsprogs
sparse sparse
bc bc
depmod kmod
flock util-linux
git git
perl perl
b3sum b3sum
python3 python3
/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
'

# What building a kernel needs beyond that (qemu/lib/debug-kernel.sh).
LAKE_KERNEL_NEEDS='
flex flex
bison bison
/usr/include/libelf.h libelf-dev
/usr/include/openssl/opensslv.h libssl-dev
'

# host_missing_packages NEEDS: the packages that are missing, one a line.
host_missing_packages() {
	local need package
	# Tools in sbin count even when an ordinary user's PATH lacks it.
	local PATH=$PATH:/usr/sbin:/sbin
	while read -r need package; do
		[ -n "$need" ] || continue
		case $need in
		/*) [ -e "$need" ] && continue ;;
		*) have "$need" && continue ;;
		esac
		printf '%s\n' "$package"
	done <<<"$1" | sort -u
}

host_check_release() {
	local id='' codename=''
	[ "$(uname -m)" = x86_64 ] || die "needs an x86-64 machine"
	[ -r /etc/os-release ] && {
		id=$(. /etc/os-release && echo "${ID:-}")
		codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	}
	[ "$id" = debian ] && have apt-get && have dpkg ||
		die "needs a Debian host (bookworm or trixie); this is '${id:-unknown}'"
	case $codename in
	bookworm | trixie) ;;
	*) say "note: tested on Debian bookworm and trixie; this is '$codename'" ;;
	esac
}

# ensure_host_packages [MORE-NEEDS]: installs what is missing; silent when
# nothing is.
ensure_host_packages() {
	local missing sudo='' needs=$LAKE_HOST_NEEDS${1:-}
	host_check_release
	missing=$(host_missing_packages "$needs" | tr '\n' ' ')
	[ -n "${missing// /}" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		have sudo || die "these packages are missing and neither root nor" \
			"sudo is there to install them: $missing" \
			"-- as root: apt-get install --no-install-recommends $missing"
		sudo=sudo
	fi
	step "installing host packages: $missing"
	$sudo apt-get update -q >&2 || say "apt-get update failed; trying anyway"
	# shellcheck disable=SC2086 # a list of words
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
		--no-install-recommends $missing >&2 ||
		die "could not install: $missing"
	missing=$(host_missing_packages "$needs" | tr '\n' ' ')
	[ -z "${missing// /}" ] || die "still missing after the installation: $missing"
}

# The one prerequisite that Debian does not carry.
check_dotnet() {
	local major=10
	if ! have dotnet; then
		die "the .NET $major SDK is needed and 'dotnet' was not found." \
			"Install it (https://dotnet.microsoft.com/download/dotnet/$major.0)" \
			"and put it in PATH"
	fi
	dotnet --list-sdks 2>/dev/null | grep -q "^$major\\." ||
		die "the .NET $major SDK is needed; 'dotnet --list-sdks' shows:" \
			"$(dotnet --list-sdks 2>/dev/null | tr '\n' ';')"
}
