// SPDX-License-Identifier: GPL-2.0
/* /sys/fs/lakefs/<device>/: the state of each mount, and its shutdown */
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include "ring.h"

static struct kset *lakefs_kset;

struct lakefs_attribute {
	struct attribute attr;
	ssize_t (*show)(struct lakefs_sb_info *sbi, char *buf);
	ssize_t (*store)(struct lakefs_sb_info *sbi, const char *buf,
			 size_t len);
};

#define LAKEFS_SHOW_U64(field)						\
static ssize_t field##_show(struct lakefs_sb_info *sbi, char *buf)	\
{									\
	return sysfs_emit(buf, "%llu\n",				\
			  (unsigned long long)READ_ONCE(sbi->field));	\
}									\
static struct lakefs_attribute lakefs_attr_##field = {			\
	.attr = { .name = #field, .mode = 0444 }, .show = field##_show,	\
}

LAKEFS_SHOW_U64(epoch);
LAKEFS_SHOW_U64(generation);
LAKEFS_SHOW_U64(last_seq);
LAKEFS_SHOW_U64(sent_seq);
LAKEFS_SHOW_U64(applied_seq);
LAKEFS_SHOW_U64(durable_seq);
LAKEFS_SHOW_U64(wanted_seq);
LAKEFS_SHOW_U64(late_replies);
LAKEFS_SHOW_U64(pool_blocks);
LAKEFS_SHOW_U64(reserved_blocks);

/* the files' names are older than the fields' */
static ssize_t records_show(struct lakefs_sb_info *sbi, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(sbi->rec_count));
}

static struct lakefs_attribute lakefs_attr_records = {
	.attr = { .name = "records", .mode = 0444 }, .show = records_show,
};

static ssize_t record_bytes_show(struct lakefs_sb_info *sbi, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(sbi->rec_bytes));
}

static struct lakefs_attribute lakefs_attr_record_bytes = {
	.attr = { .name = "record_bytes", .mode = 0444 },
	.show = record_bytes_show,
};

/* a line for every kind of request: its name and how many were made */
static ssize_t requests_show(struct lakefs_sb_info *sbi, char *buf)
{
	static const char *const names[LAKEFS_REQ_OPS] = {
		[LAKEFS_R_MOUNT] = "mount",
		[LAKEFS_R_UNMOUNT] = "unmount",
		[LAKEFS_R_LOOKUP] = "lookup",
		[LAKEFS_R_INODE] = "inode",
		[LAKEFS_R_READDIR] = "readdir",
		[LAKEFS_R_EXTENTS] = "extents",
		[LAKEFS_R_GETXATTR] = "getxattr",
		[LAKEFS_R_LISTXATTR] = "listxattr",
		[LAKEFS_R_LEASE_BLOCKS] = "lease_blocks",
		[LAKEFS_R_LEASE_INOS] = "lease_inos",
		[LAKEFS_R_RETURN_BLOCKS] = "return_blocks",
		[LAKEFS_R_STATFS] = "statfs",
		[LAKEFS_R_PARENT] = "parent",
		[LAKEFS_R_INODES] = "inodes",
		[LAKEFS_R_TRIM] = "trim",
	};
	int at = 0, op;

	for (op = 0; op < LAKEFS_REQ_OPS; op++)
		if (names[op])
			at += sysfs_emit_at(buf, at, "%s %llu\n", names[op],
					    READ_ONCE(sbi->req_count[op]));
	return at;
}

static struct lakefs_attribute lakefs_attr_requests = {
	.attr = { .name = "requests", .mode = 0444 }, .show = requests_show,
};

/* memory of the complete directories' tables */
static ssize_t table_bytes_show(struct lakefs_sb_info *sbi, char *buf)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&sbi->table_bytes));
}

static struct lakefs_attribute lakefs_attr_table_bytes = {
	.attr = { .name = "table_bytes", .mode = 0444 },
	.show = table_bytes_show,
};

/* blocks compared with their checksums, and those that differed */
static ssize_t checked_reads_show(struct lakefs_sb_info *sbi, char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  (s64)atomic64_read(&sbi->checked_reads));
}

static struct lakefs_attribute lakefs_attr_checked_reads = {
	.attr = { .name = "checked_reads", .mode = 0444 },
	.show = checked_reads_show,
};

static ssize_t damaged_reads_show(struct lakefs_sb_info *sbi, char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  (s64)atomic64_read(&sbi->damaged_reads));
}

static struct lakefs_attribute lakefs_attr_damaged_reads = {
	.attr = { .name = "damaged_reads", .mode = 0444 },
	.show = damaged_reads_show,
};

/* packs of blocks decompressed */
static ssize_t packed_reads_show(struct lakefs_sb_info *sbi, char *buf)
{
	return sysfs_emit(buf, "%lld\n",
			  (s64)atomic64_read(&sbi->packed_reads));
}

static struct lakefs_attribute lakefs_attr_packed_reads = {
	.attr = { .name = "packed_reads", .mode = 0444 },
	.show = packed_reads_show,
};

static ssize_t state_show(struct lakefs_sb_info *sbi, char *buf)
{
	if (!lakefs_is_shutdown(sbi))
		return sysfs_emit(buf, "%s\n", lakefs_chan_state(sbi));
	smp_rmb();	/* the reason was there before the bit */
	return sysfs_emit(buf, "shutdown: %s\n", sbi->shutdown_reason);
}

static struct lakefs_attribute lakefs_attr_state = {
	.attr = { .name = "state", .mode = 0444 }, .show = state_show,
};

/*
 * "1", or a sentence: anything with a blank in it is the reason, which the
 * state, the log and the event then show.
 */
static ssize_t shutdown_store(struct lakefs_sb_info *sbi, const char *buf,
			      size_t len)
{
	char reason[sizeof(sbi->shutdown_reason)], *text;
	bool yes;
	int err;

	strscpy(reason, buf, sizeof(reason));
	text = strim(reason);
	if (strchr(text, ' ')) {
		char *c;

		for (c = text; *c; c++)
			if (!isprint(*c))
				*c = '?';
		lakefs_shutdown(sbi, -EIO, "%s", text);
		return len;
	}
	err = kstrtobool(text, &yes);
	if (err)
		return err;
	if (yes)
		lakefs_shutdown(sbi, -EIO, "asked for through sysfs");
	return len;
}

static struct lakefs_attribute lakefs_attr_shutdown = {
	.attr = { .name = "shutdown", .mode = 0200 }, .store = shutdown_store,
};

static struct attribute *lakefs_attrs[] = {
	&lakefs_attr_state.attr,
	&lakefs_attr_epoch.attr,
	&lakefs_attr_generation.attr,
	&lakefs_attr_last_seq.attr,
	&lakefs_attr_sent_seq.attr,
	&lakefs_attr_applied_seq.attr,
	&lakefs_attr_durable_seq.attr,
	&lakefs_attr_wanted_seq.attr,
	&lakefs_attr_records.attr,
	&lakefs_attr_record_bytes.attr,
	&lakefs_attr_late_replies.attr,
	&lakefs_attr_pool_blocks.attr,
	&lakefs_attr_reserved_blocks.attr,
	&lakefs_attr_requests.attr,
	&lakefs_attr_table_bytes.attr,
	&lakefs_attr_checked_reads.attr,
	&lakefs_attr_damaged_reads.attr,
	&lakefs_attr_packed_reads.attr,
	&lakefs_attr_shutdown.attr,
	NULL,
};
ATTRIBUTE_GROUPS(lakefs);

static ssize_t lakefs_attr_show(struct kobject *kobj, struct attribute *attr,
				char *buf)
{
	struct lakefs_attribute *a =
		container_of(attr, struct lakefs_attribute, attr);

	if (!a->show)
		return -EIO;
	return a->show(container_of(kobj, struct lakefs_sb_info, kobj), buf);
}

static ssize_t lakefs_attr_store(struct kobject *kobj, struct attribute *attr,
				 const char *buf, size_t len)
{
	struct lakefs_attribute *a =
		container_of(attr, struct lakefs_attribute, attr);

	if (!a->store)
		return -EIO;
	return a->store(container_of(kobj, struct lakefs_sb_info, kobj), buf,
			len);
}

static const struct sysfs_ops lakefs_sysfs_ops = {
	.show = lakefs_attr_show,
	.store = lakefs_attr_store,
};

static void lakefs_kobj_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct lakefs_sb_info, kobj)->kobj_done);
}

static const struct kobj_type lakefs_ktype = {
	.sysfs_ops = &lakefs_sysfs_ops,
	.release = lakefs_kobj_release,
	.default_groups = lakefs_groups,
};

/* What was never added must not be deleted: it would leave the set twice. */
static void lakefs_sysfs_put(struct lakefs_sb_info *sbi)
{
	kobject_put(&sbi->kobj);
	wait_for_completion(&sbi->kobj_done);
	sbi->kobj.kset = NULL;
}

int lakefs_sysfs_add(struct lakefs_sb_info *sbi)
{
	int err;

	sbi->kobj.kset = lakefs_kset;
	err = kobject_init_and_add(&sbi->kobj, &lakefs_ktype, NULL, "%s",
				   sbi->name);
	if (err)
		lakefs_sysfs_put(sbi);
	return err;
}

/* also of a mount that failed before it was added */
void lakefs_sysfs_del(struct lakefs_sb_info *sbi)
{
	if (!sbi->kobj.kset)
		return;
	kobject_del(&sbi->kobj);
	lakefs_sysfs_put(sbi);
}

int lakefs_sysfs_init(void)
{
	lakefs_kset = kset_create_and_add("lakefs", NULL, fs_kobj);
	return lakefs_kset ? 0 : -ENOMEM;
}

void lakefs_sysfs_exit(void)
{
	kset_unregister(lakefs_kset);
}
