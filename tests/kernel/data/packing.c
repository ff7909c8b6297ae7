// SPDX-License-Identifier: MPL-2.0
/* How packs are made, put and mapped: see packing.h. */
#include "packing.h"
#include "packtext.h"

#define TRIES	400

/* of extents, as in proto/ */
#define SEALED		0x100u
#define PACKED		0x200u
#define CHECKED		0x800u

/* of zstd */
#define FRAME_MAGIC	0xfd2fb528u
#define SINGLE_SEGMENT	0x20		/* with the size of the content, */
#define SIZE_OF_4	0x80		/* in four bytes */
#define RAW		0u
#define FILL		1u

/* ---- what is in them ----------------------------------------------------- */

static void add(struct pack *p, const void *bytes, uint32_t n)
{
	CHECK(sizeof(p->image) - 16 - p->bytes >= n);
	memcpy(p->frame + p->bytes, bytes, n);
	p->bytes += n;
}

void pack_begin(struct pack *p, uint32_t blocks)
{
	uint32_t magic = FRAME_MAGIC, size = blocks * BLOCK;
	uint8_t kind = SINGLE_SEGMENT | SIZE_OF_4;

	memset(p, 0, sizeof(*p));
	p->magic = PACK_MAGIC;
	p->algorithm = PACK_ZSTD;
	p->blocks = blocks;
	add(p, &magic, 4);
	add(p, &kind, 1);
	add(p, &size, 4);
}

static void add_header(struct pack *p, uint32_t kind, uint32_t n, bool last)
{
	uint32_t header = n << 3 | kind << 1 | last;

	add(p, &header, 3);
}

void pack_add_raw(struct pack *p, const void *bytes, uint32_t n, bool last)
{
	add_header(p, RAW, n, last);
	add(p, bytes, n);
}

void pack_add_fill(struct pack *p, uint8_t byte, uint32_t n, bool last)
{
	add_header(p, FILL, n, last);
	add(p, &byte, 1);
}

void pack_end(struct pack *p)
{
	p->device_blocks = (16 + p->bytes + BLOCK - 1) / BLOCK;
}

void pack_raw(struct pack *p, const uint8_t *content, uint32_t blocks)
{
	pack_begin(p, blocks);
	pack_add_raw(p, content, blocks * BLOCK, true);
	pack_end(p);
}

void pack_fill(struct pack *p, uint8_t byte, uint32_t blocks)
{
	pack_begin(p, blocks);
	pack_add_fill(p, byte, blocks * BLOCK, true);
	pack_end(p);
}

/* the text of packtext.h */
static void make_text(uint8_t *content)
{
	static const char *const words[] = {
		"pack", "block", "extent", "daemon", "kernel", "checksum",
		"frame", "place", "span", "ring", "intent", "root", "file",
	};
	const size_t bytes = PACK_TEXT_BLOCKS * BLOCK;
	uint32_t state = 12345;
	char line[64];
	size_t n, at;

	for (at = 0, n = 0; at < bytes; n++) {
		size_t len;

		state = (state * 1103515245 + 12345) & 0x7fffffff;
		len = snprintf(line, sizeof(line),
			       "%zu: the %s of the lake is where it was\n", n,
			       words[(state >> 16) % 13]);
		if (len > bytes - at)
			len = bytes - at;
		memcpy(content + at, line, len);
		at += len;
	}
}

void pack_text(struct pack *p, uint8_t *content)
{
	make_text(content);
	pack_begin(p, PACK_TEXT_BLOCKS);
	p->bytes = 0;
	add(p, packtext_frame, sizeof(packtext_frame));
	pack_end(p);
}

/* ---- where they are ------------------------------------------------------ */

uint64_t pack_put(const struct pack *p, uint64_t goal)
{
	struct seal_call call = {
		.op = SEAL_CALL_PUT, .file_block = goal,
		.blocks = p->device_blocks,
	};
	struct seal_answer a;
	char name[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "%s.pack", seal_socket);
	fd = OK(open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	EQ(write(fd, p->image, p->device_blocks * BLOCK),
	   p->device_blocks * BLOCK);
	close(fd);
	a = seal_ask_call(&call);
	EQ(a.error, 0);
	return a.phys;
}

void pack_drop(uint64_t start)
{
	struct seal_call call = { .op = SEAL_CALL_DROP, .file_block = start };

	/* a daemon that died holds nothing */
	seal_ask_call(&call);
}

uint32_t pack_flags(const struct pack *p)
{
	return SEALED | CHECKED | PACKED |
	       (p->device_blocks - 1) << SEAL_SKEW_SHIFT;
}

struct seal_call plain_call_of(int fd, uint64_t block, uint64_t blocks,
			       uint64_t start)
{
	struct seal_call call = seal_call_of(fd, SEAL_CALL_REMAP, block,
					     blocks);

	call.phys = start;
	call.flags = SEALED | CHECKED;
	return call;
}

struct seal_call remap_call_of(int fd, uint64_t block, uint64_t blocks,
			       const struct pack *p, uint64_t start,
			       uint64_t first)
{
	struct seal_call call = plain_call_of(fd, block, blocks,
					      start * PACK_BLOCKS + first);

	call.flags = pack_flags(p);
	return call;
}

/* EINTR: it died in the call; whether it was done, nobody knows: once more */
bool pack_ask(int fd, const struct seal_call *call)
{
	struct seal_answer a;

	for (int i = 0; i < TRIES; i++) {
		OK(fsync(fd));
		a = seal_ask_call(call);
		if (!a.error)
			return true;
		if (a.error == ESTALE)
			return false;
		if (a.error != EAGAIN && a.error != EINTR)
			break;
		usleep(10000);
	}
	fail_at(__FILE__, __LINE__, "op %u: %s", call->op, strerror(a.error));
}

static bool ask_for_parts(const struct pack *p, const struct pack_part *parts,
			  int count, uint64_t start)
{
	uint64_t first = 0;

	for (int i = 0; i < count; first += parts[i].blocks, i++) {
		struct seal_call call = remap_call_of(parts[i].fd,
				parts[i].block, parts[i].blocks, p, start,
				first);

		if (!pack_ask(parts[i].fd, &call))
			return false;
	}
	return true;
}

uint64_t pack_parts(const struct pack *p, const struct pack_part *parts,
		    int count, uint64_t goal)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t start = pack_put(p, goal);

		if (ask_for_parts(p, parts, count, start))
			return start;
	}
	fail_at(__FILE__, __LINE__, "the daemon dies all the time");
}

uint64_t pack_as_is(const struct pack_part *parts, int count)
{
	uint8_t *content = malloc(PACK_BLOCKS * BLOCK);
	struct pack *p = malloc(sizeof(*p));
	uint64_t at = 0, start;

	for (int i = 0; i < count; i++) {
		uint64_t bytes = parts[i].blocks * BLOCK;

		CHECK(at + bytes <= PACK_RAW_MAX * BLOCK);
		memset(content + at, 0, bytes);
		OK(pread(parts[i].fd, content + at, bytes,
			 parts[i].block * BLOCK));
		at += bytes;
	}
	pack_raw(p, content, at / BLOCK);
	start = pack_parts(p, parts, count, 0);
	free(content);
	free(p);
	return start;
}

void pack_file(int fd, uint64_t block, uint64_t blocks, uint64_t n)
{
	for (uint64_t at = block; at < block + blocks; at += n) {
		uint64_t left = block + blocks - at;
		struct pack_part part = { fd, at, left < n ? left : n };

		pack_as_is(&part, 1);
	}
}

void unpack_file(int fd, uint64_t block, uint64_t blocks)
{
	struct pack *p = malloc(sizeof(*p));
	struct seal_call call;

	CHECK(blocks <= PACK_BLOCKS);
	memset(p, 0, sizeof(*p));
	OK(pread(fd, p->image, blocks * BLOCK, block * BLOCK));
	p->device_blocks = blocks;
	do
		call = plain_call_of(fd, block, blocks, pack_put(p, 0));
	while (!pack_ask(fd, &call));
	free(p);
}

/* ---- looks at them ------------------------------------------------------- */

bool is_packed(int fd, uint64_t block)
{
	return seal_where(fd, block).flags & SEAL_IS_PACKED;
}

uint64_t packed_at(int fd, uint64_t block)
{
	struct seal_answer a = seal_where(fd, block);

	CHECK(a.flags & SEAL_IS_PACKED);
	return a.phys / PACK_BLOCKS;
}

/* It remembers a few; more others are read. */
#define OTHERS	5

void packs_forgotten(void)
{
	int fd = open(path("others"), O_RDONLY | O_DIRECT);
	uint8_t *block = aligned(BLOCK);

	if (fd < 0) {
		fd = OK(open(path("others"), O_RDWR | O_CREAT, 0644));
		put_pattern(fd, 0, OTHERS * BLOCK, 99);
		seal_checked(fd, 0, OTHERS);
		pack_file(fd, 0, OTHERS, 1);
		close(fd);
		fd = OK(open(path("others"), O_RDONLY | O_DIRECT));
	}
	for (int i = 0; i < OTHERS; i++)
		EQ(pread(fd, block, BLOCK, i * BLOCK), BLOCK);
	close(fd);
	free(block);
}
