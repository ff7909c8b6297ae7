# SPDX-License-Identifier: MPL-2.0
# `make run` and `make test` do everything, set-up included; `make help` lists
# the rest. The work is in scripts that know what changed, so every target may
# be made at any time.
SHELL := /bin/bash
KERNEL ?= 6.12
MEM ?= 2G
SMP ?= 2
DISK ?= build/run/lake.disk

help:
	@echo 'make run          boot Debian on a lake and log in; FRESH=1 starts with a new disk'
	@echo 'make test         every test (about an hour on two cores); SUITES="unit vm" for some'
	@echo 'make check        the quick tests (about two minutes)'
	@echo 'make boot-test    boots, reboots, power cuts of the Debian guest'
	@echo 'make crash-test   power failures, replayed from recorded writes'
	@echo 'make soak         long runs: page store under power cuts (SEEDS=200), crash states'
	@echo 'make fuzz         hostile peers of the module for longer: SEED=1 SEEDS=5 KERNEL=6.12'
	@echo 'make sim          one seed of the simulator, told in full: SEED=2 STORE=twin or faster'
	@echo 'make sim-soak     many seeds: SEEDS=10000 FROM=1; sim-planted: defects it must find'
	@echo 'make soak-kill    kill -9 of the daemon under load, 1000 times (KILLS=1000 JOBS=2)'
	@echo 'make soak-dead    100 power cuts between a kill and its successor (SEED=2)'
	@echo 'make soak-memory  512 MiB, a memory hog, the daemon stopped and dead; untar, compile'
	@echo 'make soak-races   files rewritten while they are sealed, shared, packed (COUNT=600 seconds)'
	@echo 'make soak-flips   bits that change beneath (COUNT=1000)'
	@echo 'make soak-full    ten writers fill a lake, half is deleted, ten rounds (COUNT=10)'
	@echo 'make soak-written what a new file costs the device (COUNT=1024 MiB, IMAGE=lake)'
	@echo 'make soak-mounts  500 mounts, 500 loads of the module (N=500 KERNEL=6.12 or debug)'
	@echo 'make bench        ratios to ext4 and others; ROWS=create PEERS=ext4 for some'
	@echo 'make bench-hash   hashing and chunking beside b3sum; ROUNDS=15 ROWS=chunks CORPUS=FILE'
	@echo 'make bench-scale  memory and start of a daemon with a lake of FILES=1000000 (DIR=for the image)'
	@echo 'make judges       outside judges: pjdfstest, xfstests and others (tests/judges/README.md)'
	@echo 'make kernel       lakefs.ko in build/kernel/KERNEL (KERNEL=6.12, 6.1, newest or debug)'
	@echo 'make debug-kernel the kernel of KERNEL=debug: KASAN, lockdep, kmemleak; from Debian source'
	@echo 'make debug-test   the kernel tests on it, for hours; DEBUG_SUITES="module vfs" for some'
	@echo 'make daemon       laked, lakectl and helpers in build/parts'
	@echo 'make dkms         build/dkms/lakefs-dkms_VERSION_all.deb; test-dkms: in a guest'
	@echo 'make native       the static C programs'
	@echo 'make setup        packages of the host, kernels, guest parts'
	@echo 'make clean        what was built; distclean: downloads and the disk too'

setup:
	qemu/setup.sh $(KERNEL)

kernel: setup
	qemu/parts.sh module $(KERNEL)

# FROM_SOURCE=1: also where a ready archive could be unpacked.
debug-kernel:
	qemu/kernel.sh debug

daemon: setup
	qemu/parts.sh tree

native: setup
	$(MAKE) -C daemon/launcher OUT=$(CURDIR)/build/launcher
	$(MAKE) -C tests/crash OUT=$(CURDIR)/build/crash

run:
	@FRESH="$(FRESH)" qemu/run.sh "$(KERNEL)" "$(DISK)" "$(SMP)" "$(MEM)"

test:
	tests/run-all.sh $(SUITES)

check:
	tests/run-all.sh unit kernel

boot-test:
	tests/run-all.sh boot

crash-test:
	tests/run-all.sh crash

# pjdfstest and xfstests run when PJDFSTEST and XFSTESTS say where they are.
judges: setup
	tests/judges/run.sh $(JUDGES)

# The kernel's tests once more on the debug kernel: hours, as it is slow. KASAN,
# lockdep and kmemleak fail a run by what they find (qemu/README.md).
DEBUG_SUITES ?= vm module vfs data lake repair garble debug
debug-test: debug-kernel
	KERNEL=debug tests/run-all.sh $(DEBUG_SUITES)

bench: setup
	ROWS="$(ROWS)" PEERS="$(PEERS)" DIVIDE="$(or $(DIVIDE),1)" tests/run-bench.sh

ROUNDS ?= 15
bench-hash: setup
	dotnet build tests/bench/hash -c Release -nologo -v q
	dotnet run -c Release --no-build --project tests/bench/hash $(ROUNDS) "$(ROWS)" $(CORPUS)

FILES ?= 1000000
bench-scale: setup
	tests/bench/scale/run.sh $(FILES) $(DIR)

SEEDS ?= 200
SEED ?= 2
soak: setup
	dotnet test tests/unit/DeepLake.Storage.Tests -c Release -nologo --filter Name=Soak \
		-- 'TestRunParameters.Parameter(name="seeds", value="$(SEEDS)")'
	tests/crash/run.sh --fs lakefs --states 500 --seed $(SEED)
	tests/crash/run.sh --fs lakefs --states 300 --seed $(SEED) --kill-daemon
	tests/crash/killloop.sh --kills 100 --max-ms 2000 --seconds 3000 --seed $(SEED)

SIM = dotnet tests/sim/bin/Release/net10.0/DeepLake.Sim.dll
STORE ?= twin
sim-build: setup
	@dotnet build tests/sim -c Release -nologo -v q

sim: sim-build
	$(SIM) seed $(SEED) $(STORE)

# Seeds tried, and what they found, are added to out/sim/seeds.log.
FROM ?= 1
sim-soak: SEEDS = 10000
sim-soak: sim-build
	$(SIM) soak $(FROM) $(SEEDS) out/sim/seeds.log $(STORE)

sim-planted: SEEDS = 1000
sim-planted: sim-build
	$(SIM) planted $(SEEDS) $(FAULTS)

KILLS ?= 1000
JOBS ?= 2
soak-kill: setup
	tests/soak/kill.sh $(KILLS) $(JOBS) $(SEED)

# 25 of each of four recordings.
soak-dead: setup
	for n in 0 1 2 3; do \
		tests/crash/run.sh --fs lakefs --states 25 --only-dead \
			--seed $$(($(SEED) + n)) || exit 1; \
	done

soak-memory: setup
	tests/soak/memory.sh long

COUNT ?=
soak-races: setup
	tests/soak/lake.sh races $(or $(COUNT),600) $(SEED)

soak-flips: setup
	tests/soak/lake.sh flips $(or $(COUNT),1000) $(SEED)

soak-full: setup
	tests/soak/lake.sh full $(or $(COUNT),10) $(SEED)

soak-written: setup
	IMAGE="$(IMAGE)" tests/soak/lake.sh written $(or $(COUNT),1024) $(SEED)

N ?= 500
soak-mounts: setup
	tests/soak/mounts.sh $(N) $(KERNEL)

# The module's source as a package that DKMS compiles where it is installed.
dkms:
	kernel/dkms/build.sh build/dkms

test-dkms: setup
	tests/dkms/run.sh

# tests/run-garble.sh is a short form of it, in make test.
fuzz: SEED = 1
fuzz: SEEDS = 5
fuzz: setup
	KERNEL=$(KERNEL) SEED=$(SEED) SEEDS=$(SEEDS) SECONDS_EACH=30 ROUNDS=20000 \
		IMAGES=60 TIMEOUT=7200 tests/run-garble.sh

# The person's disk and the downloads stay.
clean:
	rm -rf out
	for d in build/*; do \
		case $$d in build/apt|build/kernels|build/run|build/image) ;; \
		*) rm -rf "$$d" ;; esac; \
	done

distclean:
	rm -rf out build

.PHONY: help setup kernel debug-kernel daemon native run test check boot-test crash-test \
	sim-build sim sim-soak sim-planted soak fuzz soak-kill soak-dead soak-memory soak-mounts soak-races soak-flips soak-full soak-written \
	dkms test-dkms debug-test judges bench bench-hash bench-scale clean distclean
