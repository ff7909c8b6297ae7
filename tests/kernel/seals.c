// SPDX-License-Identifier: MPL-2.0
/*
 * Sealing, sharing and packing in the fake daemon, when a test asks for it: a
 * thread of its own, as the calls wait for answers of the daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include "fake.h"
#include "sealcalls.h"

#define HELD_MAX 64			/* the oldest are forgotten */

static struct {
	int chan, device;
	struct lakefs_sb sb;
	const char *socket;
	struct lakefs_range held[HELD_MAX];
	unsigned int puts;
} seals;

static pthread_mutex_t tree_lock = PTHREAD_MUTEX_INITIALIZER;

void seals_lock(void)
{
	pthread_mutex_lock(&tree_lock);
}

void seals_unlock(void)
{
	pthread_mutex_unlock(&tree_lock);
}

/* tree_lock held; NULL: a hole */
static const struct extent *find(u64 ino, u64 block)
{
	struct node *n = node_find(ino);

	for (size_t i = 0; n && i < n->extent_count; i++) {
		const struct extent *x = n->extents + i;

		if (block >= x->file && block < x->file + x->blocks)
			return x;
	}
	return NULL;
}

/* what is applied now: any look at the tree from here on is not older */
static u64 applied_seq(void)
{
	u64 seq;

	seals_lock();
	seq = fake.applied_seq;
	seals_unlock();
	return seq;
}

static u64 sum_at(u64 phys)
{
	return seals.sb.sums.start_block * LAKEFS_BLOCK_SIZE +
	       4 * (phys - seals.sb.data.start_block);
}

static void where(const struct seal_call *c, struct seal_answer *a)
{
	const struct extent *x;

	seals_lock();
	a->map_seq = fake.applied_seq;
	x = find(c->ino, c->file_block);
	if (x) {
		a->phys = x->phys + (c->file_block - x->file);
		a->sum_at = sum_at(x->flags & LAKEFS_EXTENT_PACKED ?
				   extent_base(x) : a->phys);
		if (x->flags & LAKEFS_EXTENT_SEALED)
			a->flags |= SEAL_IS_SEALED;
		if (x->flags & LAKEFS_EXTENT_CHECKED)
			a->flags |= SEAL_IS_CHECKED;
		if (x->flags & LAKEFS_EXTENT_PACKED)
			a->flags |= SEAL_IS_PACKED;
		a->flags |= x->flags & LAKEFS_EXTENT_SKEW_MASK;
	} else {
		a->error = ENOENT;
	}
	seals_unlock();
}

static bool device_io(bool write, void *block, u64 at)
{
	at *= LAKEFS_BLOCK_SIZE;
	return (write ? pwrite(seals.device, block, LAKEFS_BLOCK_SIZE, at) :
			pread(seals.device, block, LAKEFS_BLOCK_SIZE, at)) ==
	       LAKEFS_BLOCK_SIZE;
}

/* As the daemon does it: whole pages of the table, past all caches. */
static bool put_sum(u64 phys)
{
	static u32 data[1024] __attribute__((aligned(4096)));
	static u32 table[1024] __attribute__((aligned(4096)));
	u64 page = sum_at(phys) / LAKEFS_BLOCK_SIZE;

	if (!device_io(false, data, phys) || !device_io(false, table, page))
		return false;
	table[sum_at(phys) / 4 % 1024] = crc32c(data, sizeof(data));
	return device_io(true, table, page);
}

static int put_sums(const struct seal_call *c)
{
	for (u64 b = c->file_block; b < c->file_block + c->blocks; b++) {
		const struct extent *x;
		u64 phys = 0;

		seals_lock();
		x = find(c->ino, b);
		if (x && x->flags & LAKEFS_EXTENT_SEALED &&
		    !(x->flags & LAKEFS_EXTENT_PACKED))
			phys = x->phys + (b - x->file);
		seals_unlock();
		if (phys && !put_sum(phys))
			return EIO;
	}
	return fdatasync(seals.device) ? EIO : 0;
}

static void ask_kernel(const struct seal_call *c, unsigned long cmd,
		       struct seal_answer *a)
{
	struct lakefs_seal s = {
		.ino = c->ino, .generation = c->generation, .flags = c->flags,
		.map_seq = c->map_seq == SEAL_NOW ? applied_seq() : c->map_seq,
		.file_block = c->file_block, .blocks = c->blocks,
	};

	a->error = ioctl(seals.chan, cmd, &s) ? errno : 0;
	a->seq = s.seq;
}

static void share(const struct seal_call *c, struct seal_answer *a)
{
	struct lakefs_share s = {
		.src_ino = c->ino, .src_generation = c->generation,
		.dst_ino = c->dst_ino, .dst_generation = c->dst_generation,
		.map_seq = c->map_seq == SEAL_NOW ? applied_seq() : c->map_seq,
		.src_pos = c->src_pos, .dst_block = c->file_block,
		.blocks = c->blocks, .flags = c->flags,
	};

	a->error = ioctl(seals.chan, LAKEFS_IOC_SHARE, &s) ? errno : 0;
	a->seq = s.seq;
}

/* ---- packs --------------------------------------------------------------- */

static bool write_put(u64 start, u64 blocks)
{
	static u8 block[LAKEFS_BLOCK_SIZE] __attribute__((aligned(4096)));
	char path[128];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "%s.pack", seals.socket);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ok = fd >= 0;
	for (u64 i = 0; ok && i < blocks; i++)
		ok = pread(fd, block, sizeof(block), i * sizeof(block)) ==
		     sizeof(block) && device_io(true, block, start + i) &&
		     put_sum(start + i);
	if (fd >= 0)
		close(fd);
	return ok && !fdatasync(seals.device);
}

static struct lakefs_range *held_at(u64 start)
{
	for (int i = 0; i < HELD_MAX; i++)
		if (start >= seals.held[i].start &&
		    start < seals.held[i].start + seals.held[i].count)
			return &seals.held[i];
	return NULL;
}

static void put(const struct seal_call *c, struct seal_answer *a)
{
	struct lakefs_range *old;

	seals_lock();
	a->phys = c->blocks ? space_take(c->blocks, c->file_block) : 0;
	seals_unlock();
	/* of what was there before nothing is left */
	for (u64 i = 0; a->phys && i < c->blocks; i++)
		while ((old = held_at(a->phys + i)))
			*old = (struct lakefs_range){ 0, 0 };
	seals.held[seals.puts++ % HELD_MAX] =
		(struct lakefs_range){ a->phys, c->blocks };
	if (!a->phys)
		a->error = ENOSPC;
	else if (!write_put(a->phys, c->blocks))
		a->error = EIO;
}

static void drop(const struct seal_call *c, struct seal_answer *a)
{
	struct lakefs_range *held = held_at(c->file_block);

	if (!held) {
		a->error = ESTALE;
		return;
	}
	seals_lock();
	space_return(held->start, held->count);
	seals_unlock();
	*held = (struct lakefs_range){ 0, 0 };
}

static void remap(const struct seal_call *c, struct seal_answer *a)
{
	struct lakefs_remap r = {
		.ino = c->ino, .generation = c->generation, .flags = c->flags,
		.map_seq = c->map_seq == SEAL_NOW ? applied_seq() : c->map_seq,
		.file_block = c->file_block, .phys_block = c->phys,
		.blocks = c->blocks,
	};
	struct extent x = { c->file_block, c->phys, c->blocks, c->flags };
	bool known;

	seals_lock();
	known = c->op == SEAL_CALL_REMAP_ANY || held_at(extent_base(&x)) ||
		(x.flags & LAKEFS_EXTENT_PACKED &&
		 space_pack(extent_base(&x), extent_spans(&x)));
	seals_unlock();
	if (known)
		a->error = ioctl(seals.chan, LAKEFS_IOC_REMAP, &r) ? errno : 0;
	else
		a->error = ESTALE;
	a->seq = r.seq;
	if (known && c->src_pos)
		kill(getpid(), SIGKILL);
}

static void answer_call(const struct seal_call *c, struct seal_answer *a)
{
	switch (c->op) {
	case SEAL_CALL_SEAL:
		return ask_kernel(c, LAKEFS_IOC_SEAL, a);
	case SEAL_CALL_CHECKED:
		return ask_kernel(c, LAKEFS_IOC_CHECKED, a);
	case SEAL_CALL_UNSEAL:
		return ask_kernel(c, LAKEFS_IOC_UNSEAL, a);
	case SEAL_CALL_SHARE:
		return share(c, a);
	case SEAL_CALL_SUMS:
		a->error = put_sums(c);
		return;
	case SEAL_CALL_WHERE:
		return where(c, a);
	case SEAL_CALL_PUT:
		return put(c, a);
	case SEAL_CALL_DROP:
		return drop(c, a);
	case SEAL_CALL_REMAP:
	case SEAL_CALL_REMAP_ANY:
		return remap(c, a);
	default:
		a->error = ENOTTY;
	}
}

void seals_begin(const char *socket_path, int chan, int device,
		 const struct lakefs_sb *sb)
{
	seals.chan = chan;
	seals.device = device;
	seals.socket = socket_path;
	seals.sb = *sb;
	if (!seal_socket_serve(socket_path, answer_call))
		die("cannot listen at %s: %m", socket_path);
}
