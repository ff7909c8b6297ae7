# SPDX-License-Identifier: MPL-2.0
# What an initramfs needs of DeepLake, independent of the tool that builds it.
# For sh. The including script sets LAKE_LIB when it is not /usr/lib/deeplake.
LAKE_LIB=${LAKE_LIB:-/usr/lib/deeplake}

# Tools the boot scripts cannot do without.
lake_programs='laked laked-launcher lake-shutdown lake-probe'

# lake_complete: everything is installed; else says what is missing.
lake_complete() {
	for lake_program in $lake_programs; do
		[ -x "$LAKE_LIB/$lake_program" ] && continue
		echo "lakefs: $LAKE_LIB/$lake_program is missing;" \
			"this initramfs cannot boot from a lake" >&2
		return 1
	done
}

# lake_libraries FILE...: the shared libraries these programs load, one a
# line. The daemon's own folder has libraries that only need system ones.
lake_libraries() {
	for lake_file in "$@"; do
		ldd "$lake_file" 2>/dev/null
	done | sed -n \
		-e 's/^.*=> \(\/[^ ]*\) (.*/\1/p' \
		-e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
		grep -v "^$LAKE_LIB/" | sort -u
}

# lake_copy FILE ROOT: keeps the path, follows links.
lake_copy() {
	mkdir -p "$2${1%/*}"
	cp -pL "$1" "$2$1"
}

# lake_collect ROOT: makes ROOT the complete private root of the daemon. What
# lakectl has beyond the daemon's own files stays away, it is for the system.
lake_collect() {
	lake_root=$1
	mkdir -p "$lake_root$LAKE_LIB" "$lake_root/dev" "$lake_root/proc" \
		"$lake_root/sys" "$lake_root/run" "$lake_root/tmp" "$lake_root/etc"
	if [ -f "$LAKE_LIB/laked.files" ]; then
		while read -r lake_file; do
			lake_copy "$LAKE_LIB/$lake_file" "$lake_root"
		done <"$LAKE_LIB/laked.files"
	else
		cp -a "$LAKE_LIB/." "$lake_root$LAKE_LIB/"
	fi
	lake_copy "$LAKE_LIB/laked-launcher" "$lake_root"
	# Libraries that the runtime opens by name while it runs count too.
	for lake_file in $(lake_libraries "$LAKE_LIB/laked" \
		"$LAKE_LIB"/*.so) $(lake_opened_by_name); do
		lake_copy "$lake_file" "$lake_root"
	done
	# The loader's path is compiled into every program.
	[ -e "$lake_root/lib64" ] || lake_copy /lib64/ld-linux-x86-64.so.2 \
		"$lake_root"
}

# Opened with dlopen(): no header of a program names them.
lake_opened_by_name() {
	for lake_file in libzstd.so.1 liblz4.so.1; do
		ldconfig -p 2>/dev/null |
			sed -n "s/.*$lake_file .*x86-64.* => //p" | head -n 1
	done
}
