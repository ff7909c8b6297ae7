// SPDX-License-Identifier: MPL-2.0
/* How the tests of sealing ask and look: see sealing.h. */
#include "sealing.h"
#include <linux/fs.h>
#include <sys/ioctl.h>

#define TRIES	400

const char *seal_socket, *seal_device;

struct seal_answer seal_ask_call(const struct seal_call *call)
{
	struct seal_answer answer;

	for (int i = 0; i < TRIES; i++) {
		if (seal_socket_ask(seal_socket, call, &answer))
			return answer;
		usleep(50000);
	}
	fail_at(__FILE__, __LINE__, "nobody answers at %s", seal_socket);
}

static void name_file(int fd, uint64_t *ino, uint32_t *generation)
{
	unsigned int number;
	struct stat st;

	OK(fstat(fd, &st));
	OK(ioctl(fd, FS_IOC_GETVERSION, &number));
	*ino = st.st_ino;
	*generation = number;
}

struct seal_call seal_call_of(int fd, uint32_t op, uint64_t block,
			      uint64_t blocks)
{
	struct seal_call call = {
		.op = op, .map_seq = SEAL_NOW, .file_block = block,
		.blocks = blocks,
	};

	name_file(fd, &call.ino, &call.generation);
	return call;
}

struct seal_call piece_call_of(int src, uint64_t src_pos, int dst,
			       uint64_t block, uint64_t blocks)
{
	struct seal_call call = seal_call_of(src, SEAL_CALL_SHARE, block,
					     blocks);

	name_file(dst, &call.dst_ino, &call.dst_generation);
	call.src_pos = src_pos;
	return call;
}

struct seal_call share_call_of(int src, int dst, uint64_t block,
			       uint64_t blocks)
{
	return piece_call_of(src, block * BLOCK, dst, block, blocks);
}

struct seal_answer seal_ask(int fd, uint32_t op, uint64_t block,
			    uint64_t blocks)
{
	struct seal_call call = seal_call_of(fd, op, block, blocks);

	return seal_ask_call(&call);
}

void seal_ask_refused(const struct seal_call *c, int error)
{
	struct seal_answer a = seal_ask_call(c);

	if (a.error != error)
		fail_at(__FILE__, __LINE__, "op %u of inode %llu: %s, not %s",
			c->op, (unsigned long long)c->ino, strerror(a.error),
			strerror(error));
}

/* EINTR, ESTALE: the daemon died in the call. Asked twice is no matter. */
static void ask_until_done(int fd, int other, const struct seal_call *call)
{
	struct seal_answer a;

	for (int i = 0; i < TRIES; i++) {
		OK(fsync(fd));
		OK(fsync(other));
		a = seal_ask_call(call);
		if (!a.error)
			return;
		if (a.error != EAGAIN && a.error != EINTR && a.error != ESTALE)
			break;
		usleep(10000);
	}
	fail_at(__FILE__, __LINE__, "op %u: %s", call->op, strerror(a.error));
}

static void ask_of_one(int fd, uint32_t op, uint64_t block, uint64_t blocks)
{
	struct seal_call call = seal_call_of(fd, op, block, blocks);

	ask_until_done(fd, fd, &call);
}

void seal(int fd, uint64_t block, uint64_t blocks)
{
	ask_of_one(fd, SEAL_CALL_SEAL, block, blocks);
}

void seal_checked(int fd, uint64_t block, uint64_t blocks)
{
	seal(fd, block, blocks);
	ask_of_one(fd, SEAL_CALL_SUMS, block, blocks);
	ask_of_one(fd, SEAL_CALL_CHECKED, block, blocks);
}

void unseal(int fd, uint64_t block, uint64_t blocks)
{
	ask_of_one(fd, SEAL_CALL_UNSEAL, block, blocks);
}

void seal_share(int src, int dst, uint64_t block, uint64_t blocks)
{
	seal_share_piece(src, block * BLOCK, dst, block, blocks);
}

void seal_share_piece(int src, uint64_t src_pos, int dst, uint64_t block,
		      uint64_t blocks)
{
	struct seal_call call = piece_call_of(src, src_pos, dst, block, blocks);

	ask_until_done(src, dst, &call);
}

struct seal_answer seal_where(int fd, uint64_t block)
{
	struct seal_answer a;

	/* what is durable is applied */
	OK(fsync(fd));
	a = seal_ask(fd, SEAL_CALL_WHERE, block, 1);
	EQ(a.error, 0);
	return a;
}

static int device_open(void)
{
	return OK(open(seal_device, O_RDWR | O_DIRECT | O_CLOEXEC));
}

void device_read(uint64_t phys, uint8_t *block)
{
	uint8_t *own = aligned(BLOCK);
	int fd = device_open();

	EQ(pread(fd, own, BLOCK, phys * BLOCK), BLOCK);
	memcpy(block, own, BLOCK);
	close(fd);
	free(own);
}

void device_write(uint64_t phys, const uint8_t *block)
{
	uint8_t *own = aligned(BLOCK);
	int fd = device_open();

	memcpy(own, block, BLOCK);
	EQ(pwrite(fd, own, BLOCK, phys * BLOCK), BLOCK);
	close(fd);
	free(own);
}

void device_flip(uint64_t byte)
{
	uint8_t block[BLOCK];

	device_read(byte / BLOCK, block);
	block[byte % BLOCK] ^= 0x10;
	device_write(byte / BLOCK, block);
}

uint64_t lake_number(const char *name)
{
	const char *device = strrchr(seal_device, '/');
	char file[PATH_MAX], text[32] = "";
	int fd;

	snprintf(file, sizeof(file), "/sys/fs/lakefs%s/%s", device, name);
	fd = OK(open(file, O_RDONLY));
	OK(read(fd, text, sizeof(text) - 1));
	close(fd);
	return strtoull(text, NULL, 10);
}
