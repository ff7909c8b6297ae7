// SPDX-License-Identifier: MPL-2.0
/*
 * Rebuilds the disk as power failures could have left it, state after state.
 *
 * The durable part grows with the cut on a RAM disk; each state adds what
 * survived of the volatile cache on a snapshot of it that is thrown away.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "replay.h"

#define COPY_BYTES (1u << 20)

struct replay {
	struct lc_log log;
	struct lc_hooks hooks;
	struct lc_check check;
	const char *log_device, *image_device, *base_device, *store_device;
	uint64_t seed;			/* of the states */
	uint32_t nstates, from_index;
	int64_t only;
	uint32_t unit_sectors;
	uint32_t fsck_every;		/* a slow checker sees fewer states */
	bool ignore_flushes;		/* a disk that lies about them */
	uint32_t stop_after;		/* failures, 0 for never */
	uint32_t applied;		/* requests already on the base */
	int base;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static int by_cut(const void *a, const void *b)
{
	const struct lc_state *x = a, *y = b;

	if (x->flushed != y->flushed)
		return x->flushed < y->flushed ? -1 : 1;
	if (x->cut != y->cut)
		return x->cut < y->cut ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static bool all_zero(const uint8_t *p, size_t bytes)
{
	return !p[0] && !memcmp(p, p + 1, bytes - 1);
}

/* The filesystem as it was when the recording began. */
static int load_image(struct replay *r)
{
	uint64_t bytes = r->log.fs_sectors * LC_SECTOR;
	uint64_t start = r->log.fs_start * LC_SECTOR;
	uint8_t *buffer = aligned_alloc(4096, COPY_BYTES);
	int image = open(r->image_device, O_RDONLY);
	int error = 0;

	r->base = open(r->base_device, O_RDWR | O_DIRECT);
	if (!buffer || image < 0 || r->base < 0) {
		perror("lakecrash: image or base device");
		return -1;
	}
	for (uint64_t at = 0; !error && at < bytes; at += COPY_BYTES) {
		size_t n = bytes - at < COPY_BYTES ? bytes - at : COPY_BYTES;

		if (pread(image, buffer, n, start + at) != (ssize_t)n)
			error = -1;
		else if (!all_zero(buffer, n) &&
			 pwrite(r->base, buffer, n, at) != (ssize_t)n)
			error = -1;
	}
	if (error)
		perror("lakecrash: copying the image");
	close(image);
	free(buffer);
	return error;
}

static uint32_t acks_before(const struct lc_log *log, uint32_t cut)
{
	uint32_t n = 0;

	while (n < log->nacks && log->ack_at[n] < cut)
		n++;
	return n;
}

/* A snapshot with the state on it; 0 or an errno. */
static int build(struct replay *r, const struct lc_state *s, char *device,
		 size_t device_bytes)
{
	int error = lc_apply_range(&r->log, r->applied, s->flushed, r->base);
	int fd;

	if (error)
		return error;
	r->applied = s->flushed;
	error = lc_snapshot_create(r->base_device, r->store_device,
				   r->log.fs_sectors, device, device_bytes);
	if (error)
		return error;
	fd = open(device, O_RDWR | O_DIRECT);
	error = fd < 0 ? errno : lc_state_apply(&r->log, s, fd);
	if (fd >= 0)
		close(fd);
	return error;
}

/* 1 when the state failed, 0 when not, -1 when it could not be built. */
static int run_state(struct replay *r, const struct lc_state *s,
		     uint32_t index)
{
	uint64_t began = now_ms();
	struct lc_hooks hooks = r->hooks;
	struct lc_verdict v;
	char device[64], *line, *save = NULL;
	int error = build(r, s, device, sizeof(device));

	if (error) {
		printf("broken state %u: %s\n", s->number, strerror(error));
		return -1;
	}
	r->check.acks = r->log.acks;
	r->check.nacks = acks_before(&r->log, s->cut);
	printf("begin %u %u\n", index, s->number);
	fflush(stdout);
	if (index % r->fsck_every && r->only < 0)
		hooks.fsck = NULL;
	lc_judge(&hooks, device, &r->check, &v);
	error = lc_snapshot_remove();
	if (error) {
		printf("broken state %u: removing %s: %s\n", s->number,
		       device, strerror(error));
		return -1;
	}
	printf("%s %u cut=%u/%u volatile=%u mode=%s acks=%u dead=%d ms=%llu\n",
	       v.failures ? "fail" : "pass", s->number, s->cut,
	       r->log.nrequests, s->cut - s->flushed, lc_mode_name(s->mode),
	       r->check.nacks, s->dead,
	       (unsigned long long)(now_ms() - began));
	for (line = strtok_r(v.text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		printf("    %u: %s\n", s->number, line);
	fflush(stdout);
	return v.failures ? 1 : 0;
}

static int run_states(struct replay *r)
{
	struct lc_state *states = lc_alloc(r->nstates * sizeof(*states));
	uint32_t failed = 0, passed = 0;

	for (uint32_t i = 0; i < r->nstates; i++)
		states[i] = lc_state_make(&r->log, r->seed, i);
	qsort(states, r->nstates, sizeof(*states), by_cut);
	for (uint32_t i = r->from_index; i < r->nstates; i++) {
		int result;

		if (r->only >= 0 && states[i].number != (uint64_t)r->only)
			continue;
		result = run_state(r, &states[i], i);
		if (result < 0)
			return 2;
		failed += result;
		passed += !result;
		if (r->stop_after && failed >= r->stop_after)
			break;
	}
	printf("done passed=%u failed=%u requests=%u acks=%u kills=%u "
	       "dead=%u\n",
	       passed, failed, r->log.nrequests, r->log.nacks,
	       r->log.nmarks, r->log.ndead);
	free(states);
	return failed ? 1 : 0;
}

enum {
	O_LOG = 256, O_IMAGE, O_BASE, O_STORE, O_FS, O_OPTIONS, O_DIR, O_MOUNT,
	O_UMOUNT, O_SOCKET, O_FSCK, O_SEED, O_STATE_SEED, O_STATES, O_STREAMS, O_OPS,
	O_ONLY, O_FROM, O_STOP, O_UNIT, O_EVERY, O_LIE, O_REPLACE, O_DEAD,
};

static const struct option OPTIONS[] = {
	{ "log", required_argument, NULL, O_LOG },
	{ "image", required_argument, NULL, O_IMAGE },
	{ "base", required_argument, NULL, O_BASE },
	{ "store", required_argument, NULL, O_STORE },
	{ "fs", required_argument, NULL, O_FS },
	{ "options", required_argument, NULL, O_OPTIONS },
	{ "dir", required_argument, NULL, O_DIR },
	{ "mount", required_argument, NULL, O_MOUNT },
	{ "umount", required_argument, NULL, O_UMOUNT },
	{ "verify-socket", required_argument, NULL, O_SOCKET },
	{ "fsck", required_argument, NULL, O_FSCK },
	{ "seed", required_argument, NULL, O_SEED },
	{ "state-seed", required_argument, NULL, O_STATE_SEED },
	{ "states", required_argument, NULL, O_STATES },
	{ "streams", required_argument, NULL, O_STREAMS },
	{ "ops", required_argument, NULL, O_OPS },
	{ "state", required_argument, NULL, O_ONLY },
	{ "from-index", required_argument, NULL, O_FROM },
	{ "stop-after", required_argument, NULL, O_STOP },
	{ "torn-unit", required_argument, NULL, O_UNIT },
	{ "fsck-every", required_argument, NULL, O_EVERY },
	{ "ignore-flushes", no_argument, NULL, O_LIE },
	{ "replace-flushes", no_argument, NULL, O_REPLACE },
	{ "only-dead", no_argument, NULL, O_DEAD },
	{ NULL, 0, NULL, 0 },
};

static void set_text(struct replay *r, int o, const char *value)
{
	const char **where = o == O_LOG ? &r->log_device :
		o == O_IMAGE ? &r->image_device :
		o == O_BASE ? &r->base_device :
		o == O_STORE ? &r->store_device :
		o == O_FS ? &r->hooks.fs :
		o == O_OPTIONS ? &r->hooks.options :
		o == O_DIR ? &r->hooks.dir :
		o == O_MOUNT ? &r->hooks.mount :
		o == O_UMOUNT ? &r->hooks.umount :
		o == O_SOCKET ? &r->hooks.socket : &r->hooks.fsck;

	*where = value;
}

static void set_number(struct replay *r, int o, uint64_t value)
{
	if (o == O_SEED)
		r->check.seed = value;
	else if (o == O_STATE_SEED)
		r->seed = value;
	else if (o == O_STATES)
		r->nstates = value;
	else if (o == O_STREAMS)
		r->check.nstreams = value;
	else if (o == O_OPS)
		r->check.nops = value;
	else if (o == O_ONLY)
		r->only = value;
	else if (o == O_FROM)
		r->from_index = value;
	else if (o == O_EVERY)
		r->fsck_every = value ? value : 1;
	else if (o == O_UNIT)
		r->unit_sectors = value / LC_SECTOR;
	else
		r->stop_after = value;
}

/* 0 no failures, 1 failures, 2 the replay itself could not be done. */
int lc_replay_main(int argc, char **argv)
{
	struct replay r = {
		.base_device = "/dev/ram0", .store_device = "/dev/ram1",
		.hooks.dir = "/mnt/crash", .only = -1, .nstates = 100,
		.unit_sectors = 1, .fsck_every = 1,
		.check = { .nstreams = 3, .nops = 400 },
	};
	bool only_dead = false;
	int o;

	while ((o = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		if (o == '?')
			return 2;
		if (o == O_REPLACE)
			r.check.replace_flushes = true;
		else if (o == O_LIE)
			r.ignore_flushes = true;
		else if (o == O_DEAD)
			only_dead = true;
		else if (o <= O_FSCK)
			set_text(&r, o, optarg);
		else
			set_number(&r, o, strtoull(optarg, NULL, 0));
	}
	if (!r.log_device || !r.image_device || !r.hooks.fs) {
		fputs("lakecrash: replay needs --log, --image, --fs\n",
		      stderr);
		return 2;
	}
	r.check.dir = r.hooks.dir;
	if (lc_log_open(&r.log, r.log_device, r.image_device,
			r.check.nstreams) || load_image(&r))
		return 2;
	r.log.unit_sectors = r.unit_sectors;
	r.log.only_dead = only_dead;
	if (only_dead && !r.log.ndead) {
		fputs("lakecrash: the recording shows no time without a "
		      "daemon\n", stderr);
		return 2;
	}
	for (uint32_t i = 0; r.ignore_flushes && i < r.log.nrequests; i++)
		r.log.requests[i].flush = r.log.requests[i].fua = false;
	return run_states(&r);
}
