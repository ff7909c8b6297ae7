// SPDX-License-Identifier: MPL-2.0
/* A valid superblock for the fake daemon, and the checksum in it. */
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "fake.h"

u32 crc32c(const void *data, size_t bytes)
{
	const u8 *p = data;
	u32 crc = ~0u;

	while (bytes--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static u64 region(struct lakefs_region *r, u64 at, u64 blocks)
{
	r->start_block = at;
	r->blocks = blocks;
	return at + blocks;
}

static void layout(struct lakefs_sb *sb, u64 blocks)
{
	u64 at = LAKEFS_SB_A_BLOCK + 1;

	at = region(&sb->ticket[0], at, LAKEFS_TICKET_MAX / LAKEFS_BLOCK_SIZE);
	at = region(&sb->ticket[1], at, LAKEFS_TICKET_MAX / LAKEFS_BLOCK_SIZE);
	at = region(&sb->wal, at, 4096);
	at = region(&sb->index[0], at, 256);
	at = region(&sb->index[1], at, 256);
	at = region(&sb->pages, at, 2048);
	at = region(&sb->sums, at, blocks / LAKEFS_SUMS_PER_BLOCK + 1);
	at = region(&sb->anchors, at, blocks / LAKEFS_ANCHOR_DATA_BLOCKS + 1);
	region(&sb->data, at, blocks - 1 - at);
}

/* bytes: size to give a regular file; 0: keep */
int fake_mkfs(const char *path, u64 bytes)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);
	static struct lakefs_sb sb;
	off_t end;

	if (fd < 0 || (bytes && ftruncate(fd, bytes)))
		die("cannot open %s", path);
	end = lseek(fd, 0, SEEK_END);
	if (end < (off_t)LAKEFS_MIN_DEVICE_BLOCKS * LAKEFS_BLOCK_SIZE)
		die("%s is too small", path);
	sb.magic = LAKEFS_SB_MAGIC;
	sb.format_version = LAKEFS_FORMAT_VERSION;
	sb.generation = 1;
	if (getrandom(sb.uuid, sizeof(sb.uuid), 0) != sizeof(sb.uuid))
		die("no random numbers");
	strcpy((char *)sb.label, "fake");
	sb.block_size = LAKEFS_BLOCK_SIZE;
	sb.state = LAKEFS_STATE_CLEAN;
	sb.device_blocks = end / LAKEFS_BLOCK_SIZE;
	sb.created_sec = sb.written_sec = time(NULL);
	sb.hash_algorithm = 1;
	layout(&sb, sb.device_blocks);
	sb.crc32c = crc32c(&sb, sizeof(sb));
	if (pwrite(fd, &sb, sizeof(sb),
		   LAKEFS_SB_A_BLOCK * LAKEFS_BLOCK_SIZE) != sizeof(sb) ||
	    pwrite(fd, &sb, sizeof(sb), (sb.device_blocks - 1) *
		   LAKEFS_BLOCK_SIZE) != sizeof(sb) || fsync(fd))
		die("cannot write to %s", path);
	close(fd);
	return 0;
}

/* change one thing in both superblocks; the checksum follows unless "sum" */
static void damage_copy(struct lakefs_sb *copy, const char *what)
{
	if (!strcmp(what, "incompat"))
		copy->incompat = 0x40;
	else if (!strcmp(what, "version"))
		copy->format_version = LAKEFS_FORMAT_VERSION + 1;
	else if (!strcmp(what, "layout"))
		copy->data.start_block = copy->wal.start_block;
	else if (!strcmp(what, "sums"))
		copy->sums.blocks = copy->data.blocks /
				    LAKEFS_SUMS_PER_BLOCK;
	else if (strcmp(what, "sum") && strcmp(what, "sum-a"))
		die("unknown damage %s", what);
	copy->crc32c = 0;
	copy->crc32c = crc32c(copy, sizeof(*copy)) ^
		(!strcmp(what, "sum") || !strcmp(what, "sum-a"));
}

int fake_damage(const char *path, const char *what)
{
	static struct lakefs_sb copy;
	int fd = open(path, O_RDWR);
	off_t at = LAKEFS_SB_A_BLOCK * LAKEFS_BLOCK_SIZE;

	if (fd < 0 || pread(fd, &copy, sizeof(copy), at) != sizeof(copy))
		die("cannot read %s", path);
	damage_copy(&copy, what);
	if (pwrite(fd, &copy, sizeof(copy), at) != sizeof(copy))
		die("cannot write to %s", path);
	at = (copy.device_blocks - 1) * LAKEFS_BLOCK_SIZE;
	if (strcmp(what, "sum-a") &&
	    pwrite(fd, &copy, sizeof(copy), at) != sizeof(copy))
		die("cannot write to %s", path);
	close(fd);
	return 0;
}
