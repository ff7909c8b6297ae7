#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# Wrong inputs, a full device, reflink and trim as programs use them, and ways to
# be shut down, files that are sealed, checked, shared and scrubbed, with the real daemon in the
# busybox guest; its durable changes as a stream; a guest of little memory whose daemon is stopped and dead.
# ONLY="full down seal share pieces packs scrub watch memory": some of them. SHARE_MIB=1024 SHARE_DISK=4G,
# PIECES_MIB=100 PIECES_DISK=1G: larger files for these.
# KERNEL=debug: under KASAN and lockdep.
set -uo pipefail
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/suite.sh"
suite_begin lake
kernel=${KERNEL:-6.12}
limit=$(suite_seconds $((1200 + (${SHARE_MIB:-0} + ${PIECES_MIB:-0} * 10) * 2)))
lib=(--file "$LAKE_TESTS/lake/lib.sh:/lib.sh")
wanted() { case " ${ONLY:-full down seal share pieces packs scrub watch memory} " in *" $1 "*) ;; *) return 1 ;; esac; }

program() { # NAME: lake/NAME.c, in $suite_dir
	cc -O2 -Wall -Werror -static -pthread -o "$suite_dir/$1" \
		"$LAKE_TESTS/lake/$1.c" || fail "$1 builds"
}

# Mostly waiting for time to pass: beside the others.
memory_job=
if wanted memory; then
	"$LAKE_TESTS/soak/memory.sh" short >"$suite_dir/memory.results" &
	memory_job=$!
fi

if wanted full; then
	truncate -s 32M "$suite_dir/ext4"
	mkfs.ext4 -q -F "$suite_dir/ext4"
	status=0
	"$LAKE_VM" run --lake --kernel "$kernel" --tools coreutils --smp "${SMP:-2}" \
		--mem "${MEM:-1G}" --timeout "$limit" \
		--disk "$suite_dir/lake,size=128M" --disk "$suite_dir/ext4" \
		--file "$LAKE_TESTS/lake/guest.sh:/guest.sh" "${lib[@]}" -- sh /guest.sh \
		>"$suite_dir/results" || status=$?
	suite_collect "$suite_dir/results" ''
	[ $status = 0 ] || fail "the guest ends with status $status"
fi

# shutdown, deaths of the daemon, what others than root may do
down() {
	local status=0
	program goingdown
	program stalled
	"$LAKE_VM" run --lake --kernel "$kernel" --smp "${SMP:-2}" --mem "${MEM:-1G}" \
		--timeout "$limit" \
		--disk "$suite_dir/down,size=128M" \
		--disk "$suite_dir/second,size=128M" \
		--file "$suite_dir/goingdown:/goingdown" \
		--file "$suite_dir/stalled:/stalled" \
		--file "$LAKE_TESTS/lake/down-guest.sh:/guest.sh" "${lib[@]}" -- \
		sh /guest.sh >"$suite_dir/down.results" || status=$?
	suite_collect "$suite_dir/down.results" ''
	[ $status = 0 ] || fail "the guest of shutdowns ends with status $status"
}
! wanted down || down

# the stream of durable changes, and what a folder holds
watch() {
	local status=0
	"$LAKE_VM" run --lake --kernel "$kernel" --tools coreutils --smp "${SMP:-2}" \
		--mem "${MEM:-1G}" --timeout "$limit" --disk "$suite_dir/watch,size=128M" \
		--file "$LAKE_TESTS/lake/watch-guest.sh:/guest.sh" "${lib[@]}" -- \
		sh /guest.sh >"$suite_dir/watch.results" || status=$?
	suite_collect "$suite_dir/watch.results" ''
	[ $status = 0 ] || fail "the guest of watchers ends with status $status"
}
! wanted watch || watch

# twice NAME SIZE: two boots of one lake, the first of which ends without
# unmounting; NAME-guest.sh says what happens in them
twice() {
	local name=$1 size=$2 status part programs=()
	for part in scatter stale flip stalled; do
		program "$part"
		programs+=(--file "$suite_dir/$part:/$part")
	done
	for part in first again; do
		status=0
		"$LAKE_VM" run --lake --kernel "$kernel" --smp "${SMP:-2}" --mem "${MEM:-1G}" \
			--timeout "$limit" --disk "$suite_dir/$name,size=$size" \
			--env SHARE_MIB="${SHARE_MIB:-12}" --env PIECES_MIB="${PIECES_MIB:-12}" \
			--file "$LAKE_TESTS/lake/$name-guest.sh:/guest.sh" "${lib[@]}" \
			"${programs[@]}" -- sh /guest.sh $part >"$suite_dir/$name-$part.results" || status=$?
		suite_collect "$suite_dir/$name-$part.results" ''
		[ $status = 0 ] || fail "the guest of $name ($part) ends with status $status"
	done
}
! wanted seal || twice seal 256M
! wanted share || twice share "${SHARE_DISK:-256M}"
! wanted pieces || twice pieces "${PIECES_DISK:-256M}"
! wanted packs || twice packs 256M
! wanted scrub || twice scrub 256M

if [ -n "$memory_job" ]; then
	wait $memory_job || say "the guest of little memory: status $?"
	suite_collect "$suite_dir/memory.results" ''
fi
suite_end
