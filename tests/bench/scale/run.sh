#!/bin/bash
# SPDX-License-Identifier: MPL-2.0
# A lake of FILES files in an image file, and what a daemon that serves it
# takes: memory, and how long until it answers after a clean stop and after a
# kill -9 under load. Natively, as root or not; the image goes to DIR, which has
# to be a file system with O_DIRECT (3 GiB for each million files).
#
#   tests/bench/scale/run.sh FILES [DIR]
set -euo pipefail

root=$(cd "$(dirname "$0")/../../.." && pwd)
files=${1:?how many files}
dir=${2:-$root/build/scale}
out=$root/build/scale
image=$dir/$files.img
copy=$dir/$files.copy.img
program=$out/bin/DeepLake.ScaleBench
changes=${CHANGES:-100000}

mkdir -p "$dir"
dotnet publish "$root/tests/bench/scale" -nologo -v q -c Release -r linux-x64 \
	--self-contained --artifacts-path "$out/dotnet" -p:DebugType=none \
	-p:SatelliteResourceLanguages=en -p:InvariantGlobalization=true -o "$out/bin"

# What the launcher gives laked (daemon/launcher/child.c); its heap's limit on
# a machine of 2 GiB.
export DOTNET_GCHeapHardLimit=${DOTNET_GCHeapHardLimit:-0x19999999}
export DOTNET_gcServer=0 DOTNET_gcConcurrent=0 DOTNET_GCgen0size=0x400000
export DOTNET_Thread_DefaultStackSize=0x40000 DOTNET_EnableWriteXorExecute=0
export DOTNET_TieredPGO=0 DOTNET_TC_CallCountThreshold=0x100
export DOTNET_EnableDiagnostics=0 MALLOC_ARENA_MAX=1 LC_ALL=C.UTF-8

# on_copy HOW WORK...: the image is read around the page cache, so that what
# is in it does not matter; what the host's own device keeps does.
on_copy() {
	printf '\n%s, load %s\n' "$*" "$(cut -d' ' -f1 /proc/loadavg)"
	"$program" "$1" "$copy" "${@:2}"
}

if [ ! -e "$image" ]; then
	"$program" make "$image.part" "$files"
	mv "$image.part" "$image"
fi
trap 'rm -f "$copy"' EXIT

echo
echo "== after a clean stop"
cp --sparse=always "$image" "$copy"
on_copy serve stop
on_copy serve walk change "$changes" base stop

for load in ${LOADS:-touch change create few}; do
	echo
	echo "== after kill -9 under load: $load"
	cp --sparse=always "$image" "$copy"
	on_copy serve die "$load" || [ $? = 137 ]
	# nothing is durable before the next checkpoint: twice the same
	on_copy takeover
	on_copy takeover
done
