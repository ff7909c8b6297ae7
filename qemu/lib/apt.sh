# SPDX-License-Identifier: MPL-2.0
# Private apt: fetches packages of any Debian suite without touching the
# host's apt state. Everything lives under build/apt/<suite>; an ordinary user
# can run it. Signatures are checked with Debian's archive keyring. Source
# common.sh first.

# Its real path, as checkouts may share it by a link.
mkdir -p "$LAKE_BUILD"
LAKE_APT=$(readlink -f "$LAKE_BUILD/apt")
LAKE_APT_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Prints the Debian mirror: the host's own when it uses one, so that a near
# mirror or a proxy that the person set up is used, else deb.debian.org.
# $1: debian or debian-security.
apt_private_mirror() {
	local want=${1:-debian} uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		2>/dev/null | sed 's,/*$,,' | grep -E "^https?://.*/$want\$" |
		head -n 1)
	printf '%s\n' "${uri:-http://deb.debian.org/$want}"
}

# The host's transport settings (proxies, retries, date checks), nothing else.
apt_host_acquire() {
	apt-config dump 2>/dev/null |
		grep -E '^Acquire::(https?::(proxy|timeout|cainfo)|retries|check-|force)' -i |
		grep -vi '^Acquire::[^ ]* "";$'
}

apt_private_sources() {
	local suite=$1 debian security
	debian=$(apt_private_mirror debian)
	security=$(apt_private_mirror debian-security)
	local options="[arch=amd64 signed-by=$LAKE_APT_KEYRING]"
	echo "deb $options $debian $suite main"
	case $suite in
	sid) ;;
	*)
		echo "deb $options $debian $suite-updates main"
		echo "deb $options $security $suite-security main"
		;;
	esac
}

# put_file FILE: standard input becomes FILE's content in one step, as others
# may be reading it: apt with half a configuration would use the host's.
put_file() {
	cat >"$1.$$"
	if cmp -s "$1.$$" "$1"; then rm -f "$1.$$"; else mv "$1.$$" "$1"; fi
}

apt_private_write_config() {
	local suite=$1 dir=$LAKE_APT/$1
	mkdir -p "$dir"/etc/{parts,sources.d,preferences.d,trusted.d} \
		"$dir"/state/lists/partial "$dir"/cache/archives/partial "$dir"/debs
	[ -e "$dir/state/status" ] || : >"$dir/state/status"
	apt_private_sources "$suite" | put_file "$dir/etc/sources.list"
	{
		cat <<-END
		Dir::Etc "$dir/etc";
		Dir::Etc::parts "$dir/etc/parts";
		Dir::Etc::sourcelist "$dir/etc/sources.list";
		Dir::Etc::sourceparts "$dir/etc/sources.d";
		Dir::Etc::preferences "$dir/etc/preferences";
		Dir::Etc::preferencesparts "$dir/etc/preferences.d";
		Dir::Etc::trusted "$dir/etc/trusted.gpg";
		Dir::Etc::trustedparts "$dir/etc/trusted.d";
		Dir::State "$dir/state";
		Dir::State::status "$dir/state/status";
		Dir::Cache "$dir/cache";
		Dir::Log "$dir";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Acquire::Retries "3";
		END
		apt_host_acquire
	} | put_file "$dir/apt.conf"
}

# apt_private SUITE COMMAND...: an apt tool with the private configuration.
# APT_CONFIG is read first and moves the directories before apt looks at the
# host's own files.
apt_private() {
	local suite=$1
	shift
	APT_CONFIG=$LAKE_APT/$suite/apt.conf LC_ALL=C "$@"
}

apt_private_update() {
	with_progress "fetching the package index of $1 (about 10 MB)" \
		apt_private "$1" apt-get -qq update ||
		die "could not fetch the index of $1 from $(apt_private_mirror)"
}

apt_private_setup_locked() {
	[ -r "$LAKE_APT_KEYRING" ] ||
		die "$LAKE_APT_KEYRING is missing (package debian-archive-keyring)"
	apt_private_write_config "$1"
	compgen -G "$LAKE_APT/$1/state/lists/*_Packages*" >/dev/null ||
		apt_private_update "$1"
}

# apt_private_setup SUITE: configuration and, the first time, the index.
apt_private_setup() { with_lock "$LAKE_APT/lock-$1" apt_private_setup_locked "$1"; }

# apt_private_resolve SUITE PKG...: the packages and all they depend on, as if
# nothing were installed, one a line.
apt_private_resolve() {
	local suite=$1
	shift
	apt_private "$suite" apt-get -qq -s -o APT::Get::Show-Versions=0 \
		install "$@" | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# apt_private_depends SUITE PKG: first-level dependencies, one a line.
apt_private_depends() {
	apt_private "$1" apt-cache depends --no-recommends --no-suggests \
		--no-conflicts --no-breaks --no-replaces --no-enhances "$2" |
		sed -n 's/^ *|\{0,1\}Depends: \([^<].*\)/\1/p'
}

# All packages with one call: starting apt takes far longer than a package.
apt_private_fetch_locked() {
	local suite=$1 dir=$2 debs deb
	shift 2
	local store=$LAKE_APT/$suite/debs
	mkdir -p "$dir"
	# An old index names versions the mirror no longer has: refresh once.
	(cd "$store" && with_progress --late "downloading $# packages" \
		apt_private "$suite" apt-get -qq download "$@") || {
		apt_private_update "$suite"
		(cd "$store" && with_progress "downloading $# packages" \
			apt_private "$suite" apt-get -q download "$@") ||
			die "could not download packages of $suite: $*"
	}
	debs=$(apt_private_deb_paths "$suite" "$@")
	for deb in $debs; do
		dpkg -x "$deb" "$dir" || die "could not unpack $deb"
	done
}

# The files apt-get download stores packages' candidates in.
apt_private_deb_paths() {
	local suite=$1 files
	shift
	files=$(apt_private "$suite" apt-get -qq download --print-uris "$@" |
		awk -v dir="$LAKE_APT/$suite/debs/" '{ print dir $2 }')
	[ "$(wc -w <<<"$files")" = $# ] || die "not all are in $suite: $*"
	printf '%s\n' "$files"
}

# apt_private_fetch SUITE DIR PKG...: downloads (cached) and unpacks into DIR.
apt_private_fetch() {
	apt_private_setup "$1"
	with_lock "$LAKE_APT/lock-$1" apt_private_fetch_locked "$@"
}
