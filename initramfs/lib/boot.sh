# SPDX-License-Identifier: MPL-2.0
# Starts laked in an initramfs, independent of the tool that built it. For sh.
#
# The daemon that serves the root must not live on it, nor in the initramfs,
# which switch_root empties. It gets a tmpfs on /run/initramfs, which systemd
# leaves alone until the very end, when it hands over to
# /run/initramfs/shutdown.
LAKE_LIB=${LAKE_LIB:-/usr/lib/deeplake}
LAKE_STORE=/laked-root			# in the initramfs
LAKE_HOME=/run/initramfs
LAKE_HOME_ROOT=$LAKE_HOME/laked
LAKE_STATUS=/run/deeplake/boot.status	# exit status of the launcher
LAKE_REASON=/run/deeplake/boot.reason	# what it said
LAKE_WAIT_S=180

# lake_fail TEXT...: sets lake_reason for the caller's panic or emergency.
lake_fail() {
	lake_reason="lakefs: $*"
	echo "<3>$lake_reason" >/dev/kmsg
	return 1
}

# lake_prepare: module, tmpfs, files.
lake_prepare() {
	[ -d "$LAKE_STORE" ] || {
		lake_fail "this initramfs has no laked (hook not run?)"
		return 1
	}
	modprobe lakefs || {
		lake_fail "the module lakefs cannot be loaded for $(uname -r);" \
			"build it for this kernel and run update-initramfs"
		return 1
	}
	mkdir -p "$LAKE_HOME" /run/deeplake
	mount -t tmpfs -o nosuid,nodev,mode=0755,size=75% lake "$LAKE_HOME" || {
		lake_fail "no tmpfs for laked on $LAKE_HOME"
		return 1
	}
	cp -a "$LAKE_STORE" "$LAKE_HOME_ROOT" &&
		cp -a "$LAKE_LIB/lake-shutdown" "$LAKE_HOME/shutdown" || {
		lake_fail "no room for laked in a tmpfs; give the machine more memory"
		return 1
	}
	# The initramfs' own copy would cost memory until switch_root.
	rm -rf "$LAKE_STORE"
}

# lake_start: starts the launcher beside the rest of the boot.
lake_start() {
	rm -f "$LAKE_STATUS" "$LAKE_REASON"
	(
		"$LAKE_HOME_ROOT$LAKE_LIB/laked-launcher" \
			--root "$LAKE_HOME_ROOT" --wait-ready \
			--timeout "$LAKE_WAIT_S" \
			</dev/null >/dev/null 2>"$LAKE_REASON"
		echo $? >"$LAKE_STATUS.new"
		mv "$LAKE_STATUS.new" "$LAKE_STATUS"
	) &
}

# lake_wait: until the daemon is ready or has failed for good. The launcher
# bounds the time itself; the loop has a bound of its own all the same.
lake_wait() {
	lake_tries=0
	while [ ! -e "$LAKE_STATUS" ]; do
		lake_tries=$((lake_tries + 1))
		[ $lake_tries -le $((LAKE_WAIT_S * 20 + 200)) ] || {
			lake_fail "laked's launcher gave no answer"
			return 1
		}
		sleep 0.05
	done
	read -r lake_status <"$LAKE_STATUS"
	[ "$lake_status" = 0 ] && return 0
	lake_fail "laked did not start: $(tail -n 3 "$LAKE_REASON" 2>/dev/null)"
}

# lake_explain: for the person before an emergency shell.
lake_explain() {
	echo "$lake_reason"
	if [ -s /run/deeplake/laked.log ]; then
		echo "--- last lines of /run/deeplake/laked.log"
		tail -n 10 /run/deeplake/laked.log
	fi
	echo "--- the lake itself was not touched. To try by hand:"
	echo "$LAKE_HOME_ROOT$LAKE_LIB/laked-launcher --root $LAKE_HOME_ROOT" \
		"--wait-ready"
}

# lake_explain_root ROOT: why no lake could be mounted from there, for the person
# before an emergency shell; nothing when a lake is there and the reason another.
lake_explain_root() {
	lake_probe=$LAKE_LIB/lake-probe
	case $1 in
	UUID=* | LABEL=*)
		lake_said=$("$lake_probe" --find "$1" 2>&1) && return
		lake_said=${lake_said:-"no device holds a lake with $1"}
		;;
	*)
		"$lake_probe" "$1" >/dev/null 2>&1 && return
		lake_said="$1 holds no lake: no whole superblock at byte 4096, and none in its last block"
		[ -e "$1" ] || lake_said="there is no device $1"
		;;
	esac
	echo "lakefs: ${lake_said#lake-probe: }"
	lake_found=
	for lake_dev in "${LAKE_BLOCK:-/sys/class/block}"/*; do
		lake_dev=/dev/${lake_dev##*/}
		"$lake_probe" "$lake_dev" >/dev/null 2>&1 &&
			lake_found="$lake_found $lake_dev"
	done
	echo "  devices with a lake:${lake_found:- none}"
	echo "  next: power off and give the machine the disk with the lake, or" \
		"another root= (this one: $1; for make run: FRESH=1, or another DISK=)"
}
