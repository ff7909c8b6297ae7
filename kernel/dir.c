// SPDX-License-Identifier: GPL-2.0
/*
 * Reading directories.
 *
 * The position of an entry is its cookie + 2: the cookie is the seq of the
 * intent that made the entry, stays with it for good and never comes twice.
 * Positions 0 and 1 are "." and "..". So telldir, seekdir and NFS work over
 * everything, a new daemon and a new mount included.
 *
 * A reading ends at the last seq given when it began (open or rewind): entries
 * made or renamed meanwhile would otherwise be found again and again by a
 * program that renames what it reads.
 */
#include <linux/kernel.h>
#include <linux/slab.h>
#include "table.h"

#define LAKEFS_POS_FIRST	2
#define LAKEFS_DIR_BUF_BYTES	32768

/* of one open directory; lock guards all of it */
struct lakefs_dir_file {
	struct mutex lock;
	u64 end_cookie;		/* nothing above is shown; 0: not begun */
	loff_t pos;		/* of the entry at buf + at; -1: none */
	bool more;		/* the daemon has entries behind the buffer */
	u32 at, bytes;
	u8 *buf;
};

static int lakefs_dir_open(struct inode *inode, struct file *file)
{
	struct lakefs_dir_file *df;

	df = kzalloc(sizeof(*df), GFP_KERNEL);
	if (!df)
		return -ENOMEM;
	mutex_init(&df->lock);
	df->pos = -1;
	file->private_data = df;
	return 0;
}

static int lakefs_dir_release(struct inode *inode, struct file *file)
{
	struct lakefs_dir_file *df = file->private_data;

	kvfree(df->buf);
	kfree(df);
	return 0;
}

static loff_t lakefs_dir_llseek(struct file *file, loff_t offset, int whence)
{
	struct lakefs_dir_file *df = file->private_data;

	/* entries have no end that a number could name */
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	mutex_lock(&df->lock);
	if (whence == SEEK_CUR)
		offset += file->f_pos;
	if (offset < 0) {
		offset = -EINVAL;
	} else {
		file->f_pos = offset;
		df->pos = -1;
		if (!offset)
			df->end_cookie = 0;
	}
	mutex_unlock(&df->lock);
	return offset;
}

static bool lakefs_has_zero_byte(u64 word)
{
	return (word - REPEAT_BYTE(0x01)) & ~word & REPEAT_BYTE(0x80);
}

/* No zero, no slash. Names begin at a word and are padded to words. */
static bool lakefs_name_bytes_ok(const char *name, u32 bytes)
{
	const __le64 *at = (const __le64 *)name;
	u64 word;

	for (;; at++, bytes -= 8) {
		word = le64_to_cpu(*at);
		if (bytes < 8)
			word |= ~0ull << (8 * bytes);
		if (lakefs_has_zero_byte(word) ||
		    lakefs_has_zero_byte(word ^ REPEAT_BYTE('/')))
			return false;
		if (bytes <= 8)
			return true;
	}
}

static bool lakefs_dirent_ok(const struct lakefs_p_dirent *de, u32 room,
			     u64 after, u64 last)
{
	const char *name = (const char *)(de + 1);

	if (room < sizeof(*de) || de->len > room ||
	    !IS_ALIGNED(de->len, LAKEFS_ENTRY_ALIGN) ||
	    de->len < sizeof(*de) + de->name_bytes ||
	    !de->name_bytes || !de->ino || de->ino > S64_MAX ||
	    de->cookie <= after || de->cookie > last ||
	    de->cookie > S64_MAX - LAKEFS_POS_FIRST)
		return false;
	if (!lakefs_name_bytes_ok(name, de->name_bytes))
		return false;
	if (name[0] == '.' && (de->name_bytes == 1 ||
			       (de->name_bytes == 2 && name[1] == '.')))
		return false;
	switch (de->type) {
	case DT_FIFO:
	case DT_CHR:
	case DT_DIR:
	case DT_BLK:
	case DT_REG:
	case DT_LNK:
	case DT_SOCK:
		return true;
	default:
		return false;
	}
}

/* Check the whole answer at once, so that emitting need not. */
static int lakefs_dir_check(struct inode *dir, const u8 *buf, u32 bytes,
			    u64 after)
{
	/* a cookie is the seq of a change that was made */
	u64 last = lakefs_last_seq(LAKEFS_SB(dir->i_sb));
	u32 at = 0;

	while (at < bytes) {
		const struct lakefs_p_dirent *de = (const void *)(buf + at);

		if (!lakefs_dirent_ok(de, bytes - at, after, last)) {
			lakefs_err(LAKEFS_SB(dir->i_sb),
				   "bad entry in directory %llu", (u64)dir->i_ino);
			return -EUCLEAN;
		}
		after = de->cookie;
		at += de->len;
	}
	return 0;
}

int lakefs_ask_readdir(struct inode *dir, u64 cookie, void *buf, u32 bytes,
		       bool *more)
{
	struct lakefs_r_readdir ask = {
		.ino = dir->i_ino,
		.cookie = cookie,
		.max_bytes = bytes,
	};
	struct lakefs_answer answer = { .reply = buf, .reply_max = bytes };
	int ret;

	ret = lakefs_request(LAKEFS_SB(dir->i_sb), &ask, sizeof(ask),
			     LAKEFS_R_READDIR,
			     READ_ONCE(LAKEFS_I(dir)->last_seq), &answer);
	if (ret > 0 && lakefs_dir_check(dir, buf, ret, cookie))
		return -EUCLEAN;
	*more = answer.flags & LAKEFS_REPLY_MORE;
	if (!ret && *more)
		return -EUCLEAN;	/* it would never end */
	return ret;
}

/* Fill the buffer with what begins at pos. */
static int lakefs_dir_fill(struct inode *dir, struct lakefs_dir_file *df,
			   loff_t pos)
{
	u64 after = pos > LAKEFS_POS_FIRST ? pos - LAKEFS_POS_FIRST - 1 : 0;
	int ret;

	if (!df->buf) {
		df->buf = kvmalloc(LAKEFS_DIR_BUF_BYTES, GFP_KERNEL);
		if (!df->buf)
			return -ENOMEM;
	}
	df->pos = -1;
	ret = lakefs_ask_readdir(dir, after, df->buf, LAKEFS_DIR_BUF_BYTES,
				 &df->more);
	if (ret < 0)
		return ret;
	df->at = 0;
	df->bytes = ret;
	df->pos = pos;
	return 0;
}

/* Returns 1 when the reader's buffer is full, 0 at the end of df's. */
static int lakefs_dir_emit(struct lakefs_dir_file *df, struct dir_context *ctx)
{
	while (df->at < df->bytes) {
		const struct lakefs_p_dirent *de =
			(const void *)(df->buf + df->at);

		if (de->cookie > df->end_cookie) {
			df->at = df->bytes;
			df->more = false;
			return 0;
		}
		ctx->pos = de->cookie + LAKEFS_POS_FIRST;
		if (!dir_emit(ctx, (const char *)(de + 1), de->name_bytes,
			      de->ino, de->type)) {
			df->pos = ctx->pos;
			return 1;
		}
		ctx->pos++;
		df->at += de->len;
		df->pos = ctx->pos;
	}
	return 0;
}

/* A complete directory; the copy to the program happens with it pinned. */
static void lakefs_table_emit(struct lakefs_table *t, u64 end_cookie,
			      struct dir_context *ctx)
{
	struct lakefs_cursor c;
	struct lakefs_entry *e;

	lakefs_cursor_seek(&c, t, ctx->pos - LAKEFS_POS_FIRST);
	while ((e = lakefs_cursor_next(&c)) && e->cookie <= end_cookie) {
		ctx->pos = e->cookie + LAKEFS_POS_FIRST;
		if (!dir_emit(ctx, e->name, e->len, e->ino, e->type))
			return;
		ctx->pos++;
	}
}

/* what the daemon tells, a buffer at a time */
static int lakefs_stream(struct inode *dir, struct lakefs_dir_file *df,
			 struct dir_context *ctx)
{
	int ret = 0;

	if (ctx->pos != df->pos)
		ret = lakefs_dir_fill(dir, df, ctx->pos);
	while (!ret) {
		ret = lakefs_dir_emit(df, ctx);
		if (ret || !df->more)
			break;
		ret = lakefs_dir_fill(dir, df, ctx->pos);
	}
	return min(ret, 0);
}

static int lakefs_iterate(struct file *file, struct dir_context *ctx)
{
	struct lakefs_dir_file *df = file->private_data;
	struct inode *dir = file_inode(file);
	struct lakefs_table *t;
	bool begins;
	int err = 0;

	if (!dir_emit_dots(file, ctx))
		return 0;
	mutex_lock(&df->lock);
	begins = !df->end_cookie || ctx->pos == LAKEFS_POS_FIRST;
	if (begins) {
		df->end_cookie = lakefs_last_seq(LAKEFS_SB(dir->i_sb));
		df->pos = -1;
		err = lakefs_cache_reading(dir);
	}
	t = lakefs_cache_get(dir);
	if (t) {
		/* a hint, and every reader may give it; not of an empty one */
		if (begins && READ_ONCE(t->expected) != t->count)
			WRITE_ONCE(t->expected, t->count);
		lakefs_table_emit(t, df->end_cookie, ctx);
		lakefs_cache_put(dir);
	} else if (!err) {
		err = lakefs_stream(dir, df, ctx);
	}
	mutex_unlock(&df->lock);
	return err;
}

/* Every change of the directory has its record: only those are waited for. */
static int lakefs_dir_fsync(struct file *file, loff_t start, loff_t end,
			    int datasync)
{
	struct inode *dir = file_inode(file);

	if (!datasync)
		lakefs_flush_attr(dir);
	return lakefs_wait_durable(LAKEFS_SB(dir->i_sb),
				   READ_ONCE(LAKEFS_I(dir)->last_seq));
}

const struct file_operations lakefs_dir_fops = {
	.open		= lakefs_dir_open,
	.release	= lakefs_dir_release,
	.llseek		= lakefs_dir_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= lakefs_iterate,
	.fsync		= lakefs_dir_fsync,
	.setlease	= generic_setlease,
	.unlocked_ioctl	= lakefs_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= lakefs_compat_ioctl,
#endif
};
