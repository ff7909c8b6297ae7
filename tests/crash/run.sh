#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Records a workload's writes and replays them as power failures; README.md
# says how and what is checked.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/crash
results=$root/out/results/crash.txt

usage() {
	cat <<'END'
usage: tests/crash/run.sh [options]

  --fs ext4|ext4-nobarrier|lakefs   what to test (ext4)
  --states N       states to check (200)
  --seed S         of workload and states (1)
  --streams N      processes of the workload (3)
  --ops N          operations of each (400)
  --kill-daemon    lakefs: kill laked while recording
  --ingest         lakefs: files are sealed, shared and packed while recording
  --only-dead      of such a recording, only cuts between a kill and the
                   moment its successor attached
  --control        lakefs: record with the daemon's flushes disabled
  --lying-disk     replay as if the disk ignored flushes (a control for any
                   recording; replays the one that is there)
  --kernel NAME    kernel of the guests (6.12)
  --reuse          replay the recording that is there
  --state N        check this state alone (implies --reuse)
  --timeout S      for recording and for each replay guest (1500)

exit status: 0 as expected, 1 not, 2 the test could not be run. A control
(ext4-nobarrier, --control) is expected to lose data.
END
}

fail() { printf 'crash: %s\n' "$*" >&2; exit 2; }

fs=ext4 states=200 seed=1 streams=3 ops=400 kernel=6.12 timeout=1500
kill_daemon='' ingest='' only_dead='' control='' lying='' reuse='' only=''
while [ $# -gt 0 ]; do
	case $1 in
	--kill-daemon) kill_daemon=1; shift; continue ;;
	--ingest) ingest=1; shift; continue ;;
	--only-dead) kill_daemon=1 only_dead=1; shift; continue ;;
	--control) control=1; shift; continue ;;
	--lying-disk) lying=1 reuse=1; shift; continue ;;
	--reuse) reuse=1; shift; continue ;;
	-h | --help) usage; exit 0 ;;
	esac
	[ $# -ge 2 ] || fail "$1 needs a value"
	case $1 in
	--fs) fs=$2 ;;
	--states) states=$2 ;;
	--seed) seed=$2 ;;
	--streams) streams=$2 ;;
	--ops) ops=$2 ;;
	--kernel) kernel=$2 ;;
	--timeout) timeout=$2 ;;
	--state) only=$2 reuse=1 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift 2
done

[ -f "$here/fs/$fs.sh" ] || fail "no such filesystem: $fs"
FS_CONTROL=''
export CRASH_FS_DIR=$here/fs CRASH_ROOT=$root
export CRASH_KILL_DAEMON=$kill_daemon CRASH_CONTROL=$control CRASH_INGEST=$ingest
# shellcheck source=fs/ext4.sh
. "$here/fs/$fs.sh"
[ -z "$control$lying" ] || FS_CONTROL=1
name=$fs${ingest:+-ingest}${kill_daemon:+-kill}${control:+-noflush}-$seed
work=$build/$name
[ -z "$lying" ] || name+=-lying-disk
[ -z "$only_dead" ] || name+=-dead

# What a recording depends on: the checker must do the same operations.
workload_key() {
	printf '%s %s %s %s\n' "$seed" "$streams" "$ops" "$(cat \
		"$here"/src/{model,generate,content,execute,rng}.c |
		sha256sum | cut -c1-12)"
}

# partition START SECTORS: one entry of a DOS partition table, as printf text.
partition() {
	local n byte=''
	for n in "$1" "$2"; do
		byte+=$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((n & 255)) \
			$((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24 & 255)))
	done
	printf '%s' "\\x00\\x00\\x00\\x00\\x83\\x00\\x00\\x00$byte"
}

# One MiB for the table, the filesystem, one MiB for the acks.
make_disk() {
	local sectors=$((FS_MIB * 2048)) table
	rm -f "$work"/*
	truncate -s "${FS_MIB}M" "$work/fs.img"
	fs_make "$work/fs.img" || fail "making the filesystem failed"
	truncate -s $((FS_MIB + 2))M "$work/disk.img"
	dd if="$work/fs.img" of="$work/disk.img" bs=1M seek=1 \
		conv=notrunc,sparse status=none
	rm "$work/fs.img"
	table=$(partition 2048 $sectors)$(partition $((2048 + sectors)) 2048)
	# shellcheck disable=SC2059 # the text is made of escapes
	printf "$table" | dd of="$work/disk.img" bs=1 seek=446 \
		conv=notrunc status=none
	printf '\x55\xaa' | dd of="$work/disk.img" bs=1 seek=510 \
		conv=notrunc status=none
}

# vm OPTIONS... -- CMD...: a guest with the instrument in it.
vm() {
	# shellcheck disable=SC2086 # lists of words
	timeout -k 10 $((timeout + 60)) "$root/qemu/vm" run --kernel "$kernel" \
		--timeout "$timeout" --mem "$FS_MEMORY" \
		--file "$build/lakecrash:/bin/lakecrash" \
		--file "$here/fs:/crash/fs" --file "$here/guest:/crash/guest" \
		--env CRASH_KILL_DAEMON="$kill_daemon" \
		--env CRASH_INGEST="$ingest" \
		--env CRASH_CONTROL="$control" --env CRASH_SEED="$seed" \
		--env CRASH_FS_MIB="$FS_MIB" \
		$FS_VM_OPTIONS "$@"
}

record() {
	local status=0
	make_disk
	cp --sparse=always "$work/disk.img" "$work/recorded.img"
	# shellcheck disable=SC2086 # a list of words
	vm $FS_RECORD_OPTIONS --disk "$work/recorded.img" \
		--record "$work/log.new" -- sh /crash/guest/record.sh "$fs" \
		"$seed" "$streams" "$ops" || status=$?
	rm -f "$work/recorded.img"
	[ $status = 0 ] || fail "the recorded workload failed ($status)"
	mv "$work/log.new" "$work/log"
	workload_key >"$work/workload"
	printf 'crash: %s: recorded %s MiB\n' "$name" \
		$(($(stat -c %s "$work/log") >> 20))
}

# One replay guest; appends to report.txt.
replay_from() {
	local args=()
	[ -z "$only" ] || args+=(--state "$only")
	[ -z "$FS_CONTROL" ] || args+=(--stop-after 5)
	[ -z "$lying" ] || args+=(--ignore-flushes)
	[ -z "$only_dead" ] || args+=(--only-dead)
	# shellcheck disable=SC2086 # a list of words
	vm $FS_REPLAY_OPTIONS --disk "$work/disk.img,ro" --disk "$work/log,ro" \
		-- sh /crash/guest/replay.sh "$fs" --seed "$seed" \
		--state-seed "$seed" --states "$states" --streams "$streams" \
		--ops "$ops" --from-index "$1" "${args[@]}" \
		>>"$work/report.txt"
}

# A state that takes its guest down has failed; the next guest goes on behind.
replay() {
	local from=0 status last
	: >"$work/report.txt"
	while :; do
		status=0
		replay_from $from || status=$?
		! grep -q '^done ' "$work/report.txt" || return 0
		! grep -q '^broken ' "$work/report.txt" ||
			fail "the replay could not build a state: $work/report.txt"
		last=$(sed -n 's/^begin //p' "$work/report.txt" | tail -n 1)
		[ -n "$last" ] && [ "${last% *}" -ge $from ] ||
			fail "the replay ended with $status: $work/report.txt"
		# Only a guest that got nowhere in its time hangs.
		if [ $status = 124 ] && [ "${last% *}" -gt $from ]; then
			from=${last% *}
			continue
		fi
		printf 'fail %s the guest ended with %s\n' "${last#* }" \
			"$status" >>"$work/report.txt"
		from=$((${last% *} + 1))
		[ $from -lt "$states" ] || return 0
	done
}

# The lines of this run in the results file are replaced.
write_results() {
	mkdir -p "${results%/*}"
	touch "$results"
	grep -v " crash/$name/" "$results" >"$results.new" || :
	if [ -n "$FS_CONTROL" ]; then
		printf '%s crash/%s/shows-losses\n' \
			"$([ "$failed" -gt 0 ] && echo pass || echo fail)" "$name"
	else
		sed -n "s,^\(pass\|fail\) \([0-9]*\) .*,\1 crash/$name/state-\2,p" \
			"$work/report.txt"
		[ -z "$kill_daemon" ] ||
			printf '%s crash/%s/many-cuts-without-a-daemon\n' \
				"$([ $((dead * 6)) -ge "$states" ] &&
					echo pass || echo fail)" "$name"
	fi >>"$results.new"
	mv "$results.new" "$results"
}

report() {
	local n
	passed=$(grep -c '^pass ' "$work/report.txt" || :)
	failed=$(grep -c '^fail ' "$work/report.txt" || :)
	dead=$(grep -c '^pass .* dead=1 ' "$work/report.txt" || :)
	grep -E '^(fail|    )' "$work/report.txt" | head -n 40 || :
	for n in $(sed -n 's/^fail \([0-9]*\).*/\1/p' "$work/report.txt" |
		head -n 5); do
		printf 'crash: again: tests/crash/run.sh --fs %s --seed %s' \
			"$fs" "$seed"
		printf ' --states %s --streams %s --ops %s%s%s%s --state %s\n' \
			"$states" "$streams" "$ops" \
			"${kill_daemon:+ --kill-daemon}" \
			"${only_dead:+ --only-dead}${control:+ --control}" \
			"${lying:+ --lying-disk}" "$n"
	done
	[ -n "$only" ] || write_results
	printf 'crash: %s: %s states passed%s, %s failed%s; %s ms a state\n' \
		"$name" "$passed" "${kill_daemon:+ ($dead without a daemon)}" \
		"$failed" \
		"${FS_CONTROL:+ (a control: losses are expected)}" \
		"$(awk '/ ms=/ { sub(".*ms=", ""); n++; ms += $0 }
			END { print n ? int(ms / n) : 0 }' "$work/report.txt")"
}

mkdir -p "$work"
"$here/build.sh" || fail "building lakecrash failed"
if [ -n "$reuse" ] && [ -f "$work/log" ]; then
	[ "$(cat "$work/workload")" = "$(workload_key)" ] ||
		fail "the recording is of another workload or version"
else
	[ -z "$only" ] || fail "there is no recording of $name"
	record
fi
replay
report
[ $((passed + failed)) -gt 0 ] || fail "no state was checked"
if [ -n "$FS_CONTROL" ]; then
	[ "$failed" -gt 0 ]
else
	[ "$failed" = 0 ]
fi
