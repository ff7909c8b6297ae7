// SPDX-License-Identifier: MPL-2.0
/*
 * A QEMU plugin: counts executed guest instructions by address between the
 * marks of lakebench (src/meter.c). For each pair of marks it appends to the
 * file given as out= a line "window" and lines "ADDRESS INSTRUCTIONS". The few
 * declarations of QEMU's plugin interface (version 1) that it needs are here,
 * as Debian has no package of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT	__attribute__((visibility("default")))
#define BUCKETS	(1u << 16)

struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
	void (*call)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
	int operation, void *to, uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
	void (*call)(unsigned int cpu, void *data), int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;

/* A block of instructions that is executed as a whole. */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t count;
};

static struct block *blocks[BUCKETS];
static FILE *out;

static struct block *find_block(uint64_t address)
{
	struct block **at = &blocks[(address ^ address >> 16) % BUCKETS];
	struct block *block;

	for (block = *at; block; block = block->next)
		if (block->address == address)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = address;
	block->next = *at;
	*at = block;
	return block;
}

static void begin(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	for (unsigned int i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next)
			b->count = 0;
}

static void end(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	fprintf(out, "window\n");
	for (unsigned int i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next)
			if (b->count)
				fprintf(out, "%" PRIx64 " %" PRIu64 "\n",
					b->address, b->count);
	fflush(out);
}

/* The displacement of "nopl disp32(%rax)", or 0 for any other instruction. */
static uint32_t mark_of(const struct qemu_plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	uint32_t mark;

	if (qemu_plugin_insn_size(insn) != 7 || bytes[0] != 0x0f ||
	    bytes[1] != 0x1f || bytes[2] != 0x80)
		return 0;
	memcpy(&mark, bytes + 3, 4);
	return mark;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *block = find_block(qemu_plugin_tb_vaddr(tb));

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &block->count, n);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t mark = mark_of(insn);

		if (mark == 0x4c4b0001)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, 0,
							       NULL);
		else if (mark == 0x4c4b0002)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, 0,
							       NULL);
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc,
			       char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return -1;
	out = fopen(argv[0] + 4, "w");
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
