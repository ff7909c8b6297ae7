# SPDX-License-Identifier: MPL-2.0
# First stage of the Debian image: the packages, by mmdebstrap. Slow, and
# without anything of DeepLake, so it is made again only when its package list
# changes. Source common.sh and apt.sh first.

LAKE_IMAGE=$LAKE_BUILD/image
LAKE_IMAGE_SUITE=trixie

# as_root CMD...: owners and device nodes need it.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# as_root_now: asks for the password, where one is needed, while nothing else
# writes to the terminal.
as_root_now() { as_root true || die "root's rights are needed for owners and device nodes"; }

image_packages() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$LAKE_ROOT/qemu/image/packages"
}

base_key() {
	digest_text "$LAKE_IMAGE_SUITE" 3 "$(image_packages)"
}

# The mirror and transport settings are the private apt's, which takes them
# from the host; mmdebstrap itself would not.
base_build() {
	local key=$1 include options option
	stamp_ok "$LAKE_IMAGE/base.stamp" "$key" && return
	mkdir -p "$LAKE_IMAGE"
	include=$(image_packages | paste -sd,)
	options=()
	while read -r option; do
		[ -z "$option" ] || options+=(--aptopt="$option")
	done < <(apt_host_acquire)
	rm -f "$LAKE_IMAGE/base.stamp"
	as_root_now
	with_progress "making the Debian root: $LAKE_IMAGE_SUITE (about 150 MB to fetch; minutes)" \
		as_root mmdebstrap --mode=root --variant=minbase \
		--include="$include" --format=tar \
		--keyring="$LAKE_APT_KEYRING" "${options[@]}" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$LAKE_IMAGE_SUITE" "$LAKE_IMAGE/base.tar.new" - \
		< <(apt_private_sources "$LAKE_IMAGE_SUITE") ||
		die "mmdebstrap could not make the Debian root"
	as_root chown "$(id -u):$(id -g)" "$LAKE_IMAGE/base.tar.new"
	mv "$LAKE_IMAGE/base.tar.new" "$LAKE_IMAGE/base.tar"
	printf '%s\n' "$key" >"$LAKE_IMAGE/base.stamp"
}
