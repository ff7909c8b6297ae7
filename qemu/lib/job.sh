# SPDX-License-Identifier: MPL-2.0
# What the host hands to a guest: the job archive and images of folders. The
# protocol is in qemu/README.md. Source common.sh first.

# job_archive FILE TREE CMD...: the lakejob disk. TREE holds files for the
# guest's root (it may be empty).
job_archive() {
	local file=$1 tree=$2 staging
	shift 2
	staging=$(mktemp -d "$run_dir/job.XXXXXX")
	if [ $# -gt 0 ]; then
		{
			job_environment
			printf 'exec %s\n' "$(quote "$@")"
		} >"$staging/run"
	fi
	if [ -n "$(ls -A "$tree")" ]; then mv "$tree" "$staging/root"; fi
	tar -C "$staging" --owner=0 --group=0 -cf "$file" .
}

# --env NAME=VALUE, given by the caller in the array job_env.
job_environment() {
	local item
	for item in "${job_env[@]}"; do
		printf 'export %s\n' "$(quote "$item")"
	done
}

# folder_key DIR: changes when a file in DIR changes.
folder_key() {
	find -L "$1" -printf '%P %s %T@ %m\n' | LC_ALL=C sort | sha256sum | cut -c1-16
}

# folder_image DIR FILE LABEL: DIR's content as an ext4 image with room for
# a few more files; no journal, as it is thrown away.
folder_image() {
	local dir=$1 file=$2 kib files
	kib=$(du -sk --apparent-size "$dir" | cut -f1)
	files=$(find "$dir" | wc -l)
	rm -f "$file"
	truncate -s $(((kib * 11 / 10 + files * 5 + 8192) / 4 * 4))K "$file"
	/sbin/mkfs.ext4 -q -F -b 4096 -L "$3" -O '^has_journal,^metadata_csum' -m 0 \
		-N $((files + 1024)) \
		-E "lazy_itable_init=1,nodiscard,root_owner=0:0" \
		-d "$dir" "$file" ||
		die "could not make an image of $dir"
}

# share_image DIR: cached by the folder's content; prints the image. A changed
# one replaces the old by name only, as another run may be using that.
share_image() {
	local dir image key
	dir=$(realpath "$1")
	mkdir -p "$LAKE_BUILD/vm/share"
	image=$LAKE_BUILD/vm/share/$(digest_text "$dir").ext4
	key=$(folder_key "$dir")
	if ! stamp_ok "$image.stamp" "$key"; then
		folder_image "$dir" "$image.$$" share
		mv "$image.$$" "$image"
		printf '%s\n' "$key" >"$image.stamp"
	fi
	printf '%s\n' "$image"
}

# tools_image PKG...: Debian packages with all they need, from the guest's
# suite; prints the image.
tools_image() {
	local image tree list
	image=$LAKE_BUILD/vm/tools-$(digest_text "$LAKE_GUEST_SUITE" "$@").ext4
	if [ ! -e "$image" ]; then
		mkdir -p "$LAKE_BUILD/vm"
		apt_private_setup "$LAKE_GUEST_SUITE"
		list=$(apt_private_resolve "$LAKE_GUEST_SUITE" "$@")
		[ -n "$list" ] || die "cannot resolve the packages: $*"
		step "fetching guest tools: $*"
		tree=$(mktemp -d "$LAKE_BUILD/vm/tools.XXXXXX")
		# shellcheck disable=SC2086 # a list of words
		apt_private_fetch "$LAKE_GUEST_SUITE" "$tree" $list
		rm -rf "$tree"/usr/share/{doc,man,locale,info,lintian}
		folder_image "$tree" "$image.$$" tools
		mv "$image.$$" "$image"
		rm -rf "$tree"
	fi
	printf '%s\n' "$image"
}

# unpack_out FILE DIR: what the guest left in /mnt/out.
unpack_out() {
	mkdir -p "$2"
	# An all-zero disk means that the guest did not get that far.
	[ "$(head -c 512 "$1" | tr -d '\0' | wc -c)" != 0 ] || return 0
	tar -xf "$1" -C "$2" --no-same-owner --warning=no-timestamp ||
		say "could not unpack what the guest left in /mnt/out"
}
