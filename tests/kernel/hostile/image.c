// SPDX-License-Identifier: MPL-2.0
/*
 * hostile image SEED ROUND FILE super|meta: damages a lake's image. super:
 * fields of the superblocks, most often with a checksum that fits, so that
 * what is behind the checksum is reached. meta: bytes of the ticket, log,
 * index and page regions, which only the daemon reads.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../fake.h"
#include "hostile.h"

static int image;

static void get(struct lakefs_sb *sb, u64 block)
{
	if (pread(image, sb, sizeof(*sb), block * LAKEFS_BLOCK_SIZE) !=
	    sizeof(*sb))
		die("cannot read block %lu", block);
}

static void put(const void *data, size_t bytes, u64 at)
{
	if (pwrite(image, data, bytes, at) != (ssize_t)bytes)
		die("cannot write at %lu", at);
}

/* a field of its natural size, of those that the kernel reads */
static void spoil_field(struct lakefs_sb *sb)
{
	static const struct {
		u16 at, bytes;
	} fields[] = {
#define FIELD(f) { offsetof(struct lakefs_sb, f), sizeof(((struct lakefs_sb *)0)->f) }
		FIELD(magic), FIELD(format_version), FIELD(generation),
		FIELD(compat), FIELD(ro_compat), FIELD(incompat), FIELD(uuid[3]),
		FIELD(label[0]), FIELD(block_size), FIELD(state),
		FIELD(device_blocks), FIELD(epoch), FIELD(mount_count),
		FIELD(ticket[0].start_block), FIELD(ticket[1].blocks),
		FIELD(wal.start_block), FIELD(wal.blocks),
		FIELD(index[0].start_block), FIELD(index[1].blocks),
		FIELD(pages.start_block), FIELD(pages.blocks),
		FIELD(data.start_block), FIELD(data.blocks), FIELD(ckpt_seq),
		FIELD(ckpt_wal_lsn), FIELD(ckpt_wal_offset),
		FIELD(ticket_bytes), FIELD(ticket_crc32c),
		FIELD(hash_algorithm),
#undef FIELD
	};
	size_t i = random_below(sizeof(fields) / sizeof(*fields));
	u64 old = 0, value;

	memcpy(&old, (u8 *)sb + fields[i].at, fields[i].bytes);
	switch (random_below(4)) {
	case 0:
		value = old + random_below(9) - 4;
		break;
	case 1:
		value = old ^ 1ull << random_below(64);
		break;
	default:
		value = random_odd();
	}
	memcpy((u8 *)sb + fields[i].at, &value, fields[i].bytes);
}

static void spoil_super(u64 block)
{
	struct lakefs_sb sb;
	u64 count = 1 + random_below(3);

	get(&sb, block);
	if (!random_below(12)) {
		random_fill(&sb, sizeof(sb));
		sb.magic = LAKEFS_SB_MAGIC;
	}
	while (count--)
		spoil_field(&sb);
	sb.crc32c = 0;
	sb.crc32c = crc32c(&sb, sizeof(sb)) ^ !random_below(6);
	put(&sb, sizeof(sb), block * LAKEFS_BLOCK_SIZE);
}

static void spoil_region(const struct lakefs_region *r)
{
	u8 bytes[256];
	u64 at = r->start_block * LAKEFS_BLOCK_SIZE;
	u64 span = r->blocks * LAKEFS_BLOCK_SIZE;
	u64 n = 1 + random_below(random_below(2) ? 4 : sizeof(bytes));

	/* what is in use lies at the beginning */
	if (random_below(4) && span > 1 << 18)
		span = 1 << 18;
	random_fill(bytes, sizeof(bytes));
	put(bytes, n, at + random_below(span - n));
}

static void spoil_meta(const struct lakefs_sb *sb)
{
	const struct lakefs_region *regions[] = {
		&sb->ticket[0], &sb->ticket[1], &sb->wal, &sb->index[0],
		&sb->index[1], &sb->pages, &sb->pages, &sb->pages,
	};
	u64 count = 1 + random_below(random_below(2) ? 6 : 100);

	while (count--)
		spoil_region(regions[random_below(sizeof(regions) /
						  sizeof(*regions))]);
}

int hostile_image(int argc, char **argv)
{
	struct lakefs_sb sb;
	u64 b;

	if (argc != 6)
		die("usage: hostile image SEED ROUND FILE super|meta");
	random_seed(strtoull(argv[2], NULL, 0) * 1000 +
		    strtoull(argv[3], NULL, 0));
	image = open(argv[4], O_RDWR);
	if (image < 0)
		die("%s: %m", argv[4]);
	get(&sb, LAKEFS_SB_A_BLOCK);
	if (sb.magic != LAKEFS_SB_MAGIC)
		die("%s holds no lake", argv[4]);
	b = sb.device_blocks - 1;
	if (!strcmp(argv[5], "meta")) {
		spoil_meta(&sb);
		return 0;
	}
	switch (random_below(4)) {
	case 0:
		spoil_super(LAKEFS_SB_A_BLOCK);
		break;
	case 1:
		spoil_super(b);
		break;
	default:
		spoil_super(LAKEFS_SB_A_BLOCK);
		spoil_super(b);
	}
	return 0;
}
