/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lakecrash: the power-failure instrument.
 *
 * A workload is a pure function of (seed, stream): generator and model run
 * without a filesystem, so the checker replays the same operations in memory
 * and knows what each of them promised.  README.md holds the rules.
 */
#ifndef LAKECRASH_H
#define LAKECRASH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LC_NAMES	24		/* names a directory can hold */
#define LC_MAX_DIRS	10
#define LC_MAX_ENTRIES	110		/* live names per stream */
#define LC_MAX_SIZE	(384u << 10)	/* bytes in one file */
#define LC_MAX_BYTES	(6u << 20)	/* bytes in all files of a stream */
#define LC_MAX_STREAMS	16
#define LC_MARK_STREAM	(LC_MAX_STREAMS - 1)	/* acks of the killer */
#define LC_SECTOR	512u
#define LC_XATTR_NAME	"user.lakecrash"
#define LC_PLAN		4		/* queued steps of one idiom */

enum lc_type { LC_FILE, LC_DIR, LC_SYMLINK };

enum lc_kind {
	LC_CREATE, LC_WRITE, LC_TRUNCATE, LC_RENAME, LC_LINK, LC_UNLINK,
	LC_MKDIR, LC_RMDIR, LC_MKSYMLINK, LC_CHMOD, LC_TMPFILE, LC_ORPHAN,
	LC_EXCHANGE, LC_XATTR, LC_CLONE, LC_PUNCH, LC_ZERO, LC_PREALLOC,
	LC_FSYNC, LC_FDATASYNC, LC_DIRSYNC, LC_SYNCFS, LC_SYNC,
};

enum lc_how { LC_BUFFERED, LC_DIRECT, LC_MMAP, LC_DSYNC };

/* One operation; which fields count depends on the kind. */
struct lc_op {
	enum lc_kind kind;
	enum lc_how how;
	uint32_t index;			/* 1.., also the data generation */
	int node;			/* the inode it works on */
	int dir, name;			/* where that inode is named */
	int dir2, name2;		/* target of rename and link, source
					 * of a clone */
	uint32_t offset, length;	/* bytes; length is the new size of
					 * a truncate */
	uint32_t mode;
	bool sync;			/* fsync inside an O_TMPFILE idiom */
};

/* Bytes [start, end) were written to file by gen; gaps are zeros. */
struct lc_seg {
	uint32_t start, end, gen;
	int file;			/* another one's after a clone */
};

/* Content of a file after one operation. */
struct lc_version {
	uint32_t op, size, nsegs;
	bool written;			/* by a write: size may be partial */
	struct lc_seg *segs;
};

struct lc_node {
	enum lc_type type;
	uint32_t mode, nlink;
	uint32_t create_op, change_op;	/* last op on the inode's record */
	uint32_t replace_op;		/* last rename of it over a file */
	uint32_t xattr;			/* value of its xattr, 0: has none */
	int parent, name;		/* directories */
	int *entries;			/* directories: LC_NAMES, -1 is free */
	uint32_t nversions;
	struct lc_version *versions;	/* files; last is the newest */
	uint64_t seen_ino;		/* scratch of one comparison */
};

struct lc_model {
	uint64_t seed, rng;
	uint32_t stream;
	bool history;			/* keep versions older than newest */
	uint32_t floor;			/* names up to this op are durable */
	int nnodes, cap_nodes;
	struct lc_node *nodes;		/* 0 is the stream's directory */
	int nentries, ndirs;
	int dirs[LC_MAX_DIRS];		/* inodes of the live directories */
	uint32_t bytes;
	struct lc_op plan[LC_PLAN];
	int nplan;
};

/* rng.c */
uint64_t lc_mix(uint64_t x);
uint64_t lc_random(uint64_t *state);
uint32_t lc_below(uint64_t *state, uint32_t bound);
uint32_t lc_crc32c(const void *data, size_t length);
void *lc_alloc(size_t bytes);
void *lc_grow(void *old, size_t bytes);

/* content.c */
void lc_pattern(uint64_t seed, uint32_t stream, uint32_t file, uint32_t gen,
		uint32_t offset, uint32_t length, uint8_t *out);
void lc_expected(const struct lc_model *m, const struct lc_version *v,
		 uint32_t offset,
		 uint32_t length, uint8_t *out);
void lc_describe(uint64_t seed, const uint8_t *data, uint32_t length,
		 uint32_t at, char *out, size_t out_bytes);

/* model.c */
void lc_model_init(struct lc_model *m, uint64_t seed, uint32_t stream,
		   bool history);
void lc_model_free(struct lc_model *m);
void lc_model_apply(struct lc_model *m, const struct lc_op *op, bool acked);
const char *lc_name(int name);
int lc_name_index(const char *name);
void lc_path(const struct lc_model *m, int dir, int name, char *out,
	     size_t out_bytes);
void lc_target(const struct lc_model *m, int node, char *out,
	       size_t out_bytes);
uint32_t lc_mode_of(int node, uint32_t salt);
static inline const struct lc_version *lc_newest(const struct lc_node *n)
{
	return &n->versions[n->nversions - 1];
}

/* generate.c */
void lc_generate(struct lc_model *m, uint32_t index, struct lc_op *op);
bool lc_is_sync(const struct lc_op *op);
const char *lc_kind_name(enum lc_kind kind);

/* execute.c: works in the current directory; 0 or an errno, with a message */
#define LC_ORPHANS 3
struct lc_executor {
	int orphans[LC_ORPHANS];	/* open files without a name */
	int next_orphan;
	uint8_t *buffer;		/* LC_MAX_SIZE, aligned */
};
void lc_executor_init(struct lc_executor *x);
int lc_execute(struct lc_executor *x, const struct lc_model *m,
	       const struct lc_op *op);

/* ack.c */
struct lc_ack {
	uint32_t stream, op;
	bool sync;
};
struct lc_ack_area {
	int fd;
	uint8_t *sector;
};
int lc_ack_open(struct lc_ack_area *a, const char *device);
int lc_ack_write(struct lc_ack_area *a, const struct lc_ack *ack);
bool lc_ack_parse(const uint8_t *sector, struct lc_ack *ack);

/* check.c */
struct lc_check {
	const char *dir;		/* the mounted filesystem */
	uint64_t seed;
	uint32_t nstreams, nops;
	bool replace_flushes;		/* data is durable before a rename
					 * over an existing file is */
	const struct lc_ack *acks;	/* in the order of the device */
	uint32_t nacks;
	bool synced;			/* nothing happened after the last
					 * acks but a sync */
	FILE *out;			/* reasons, one per line */
};
int lc_check_run(const struct lc_check *c);	/* number of failures */
int lc_read_acks(const char *file, struct lc_ack **acks, uint32_t *nacks);

/* tree.c */
struct lc_found {
	enum lc_type type;
	uint32_t mode, nlink, xattr;
	uint64_t ino, size;
	int entries[LC_NAMES];		/* directories; index, -1 is none */
	int node;			/* model inode after a match */
	char *path, *target;
};
struct lc_tree {
	struct lc_found *found;		/* 0 is the stream's directory */
	int nfound, cap_found;
	char error[512];
};
int lc_tree_scan(struct lc_tree *t, const char *dir);
void lc_tree_free(struct lc_tree *t);
bool lc_tree_match(struct lc_tree *t, struct lc_model *m, char *why,
		   size_t why_bytes);

/* data.c */
int lc_data_check(const struct lc_model *m, const struct lc_found *f,
		  uint32_t floor_op, char *why, size_t why_bytes);

/* stream.c */
struct lc_run {
	const char *dir, *ack_device;
	uint64_t seed;
	uint32_t nstreams, nops, seconds, pause_ms;
	int (*body)(const struct lc_run *run, uint32_t stream);
};
int lc_run_streams(const struct lc_run *run);
int lc_parse_run(int argc, char **argv, struct lc_run *run,
		 int (*extra)(int option, const char *value));

/* log.c: what QEMU's blklogwrites recorded, in dm-log-writes format */
struct lc_request {
	uint64_t data;			/* byte offset of the data in the log */
	uint64_t sector;		/* where on the disk, 512 bytes each */
	uint32_t nsectors;		/* 0 for a flush alone */
	bool flush, fua, drop;
};
/* Between these two marks a daemon was dead and no successor attached. */
struct lc_dead {
	uint32_t from, to;
};
struct lc_log {
	int fd;
	struct lc_request *requests;
	uint32_t nrequests;
	uint64_t fs_start, fs_sectors;	/* first partition of the disk */
	uint64_t ack_start, ack_sectors;/* second partition */
	struct lc_ack *acks;
	uint32_t *ack_at;		/* request that holds the ack */
	uint32_t nacks;
	uint32_t *mark_at;		/* requests right after a kill */
	uint32_t nmarks;
	struct lc_dead *dead;		/* times without a daemon */
	uint32_t ndead;
	bool only_dead;			/* cuts come from them alone */
	uint32_t first_cut;		/* every stream had begun by then */
	uint32_t unit_sectors;		/* never torn; a power of two */
};
int lc_log_open(struct lc_log *log, const char *device, const char *image,
		uint32_t nstreams);
int lc_log_read(const struct lc_log *log, const struct lc_request *r,
		uint32_t first_sector, uint32_t nsectors, void *out);

/* state.c */
enum lc_mode { LC_NONE, LC_ALL, LC_SUBSET, LC_TORN };
struct lc_state {
	uint32_t number;
	uint32_t cut;			/* requests before it were sent */
	uint32_t flushed;		/* requests before it are durable */
	enum lc_mode mode;
	bool dead;			/* cut while there was no daemon */
	uint64_t rng;			/* which of the others survived */
};
struct lc_state lc_state_make(const struct lc_log *log, uint64_t seed,
			      uint32_t number);
int lc_state_apply(const struct lc_log *log, const struct lc_state *s,
		   int fd);
int lc_apply_range(const struct lc_log *log, uint32_t from, uint32_t to,
		   int fd);
const char *lc_mode_name(enum lc_mode mode);

/* snapshot.c: a throw-away overlay by the kernel's device mapper */
int lc_snapshot_create(const char *origin, const char *store,
		       uint64_t sectors, char *device, size_t device_bytes);
int lc_snapshot_remove(void);

/* verify.c */
int lc_verify_mounted(const char *socket_path, const char *dir, FILE *out);

/* verbs */
int lc_workload_main(int argc, char **argv);
int lc_check_main(int argc, char **argv);
int lc_replay_main(int argc, char **argv);
int lc_load_main(int argc, char **argv);
int lc_ops_main(int argc, char **argv);
int lc_kill_main(int argc, char **argv);

#endif
