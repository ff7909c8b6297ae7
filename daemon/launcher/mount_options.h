/* SPDX-License-Identifier: MPL-2.0 */
#ifndef LAKE_MOUNT_OPTIONS_H
#define LAKE_MOUNT_OPTIONS_H

#include <stdbool.h>

#define MOUNT_DATA_MAX	32

struct mount_options {
	unsigned int attr_set;		/* MOUNT_ATTR_* of the mount */
	unsigned int attr_clear;
	const char *sb_flags[MOUNT_DATA_MAX];	/* ro, sync, ...: flags */
	int sb_flag_count;
	const char *data[MOUNT_DATA_MAX];	/* name or name=value */
	int data_count;
	bool remount;
	bool bind;
};

/*
 * Splits a comma separated option list (which it changes; the result points
 * into it). Returns NULL, or the option that there was no room for.
 */
const char *mount_options_parse(struct mount_options *o, char *list);

#endif /* LAKE_MOUNT_OPTIONS_H */
