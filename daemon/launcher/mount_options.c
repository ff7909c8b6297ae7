// SPDX-License-Identifier: MPL-2.0
/*
 * mount -o: which words are flags of the mount, which are flags of the file
 * system, which are for mount(8) and fstab only, and which go to the kernel
 * module as they are.
 */
#include "mount_options.h"

#include <stddef.h>
#include <string.h>
#include <sys/mount.h>

struct attr_word {
	const char *word;
	unsigned int set;
	unsigned int clear;
};

static const struct attr_word attr_words[] = {
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME },
	/* the kind of atime is one field, so each word clears the others */
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
};

static const char *const sb_words[] = {
	"ro", "rw", "sync", "async", "dirsync", "lazytime", "nolazytime",
	"mand", "nomand", "silent", "loud",
};

static const char *const ignored_words[] = {
	"defaults", "auto", "noauto", "user", "nouser", "users", "owner",
	"noowner", "group", "nogroup", "_netdev", "nofail", "norelatime",
	"nostrictatime", "iversion", "noiversion",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool in_list(const char *word, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(word, list[i]))
			return true;
	return false;
}

static bool attr_parse(struct mount_options *o, const char *word)
{
	size_t i;

	for (i = 0; i < COUNT(attr_words); i++) {
		if (strcmp(word, attr_words[i].word))
			continue;
		o->attr_set &= ~attr_words[i].clear;
		o->attr_set |= attr_words[i].set;
		o->attr_clear &= ~attr_words[i].set;
		o->attr_clear |= attr_words[i].clear;
		return true;
	}
	return false;
}

/* ro after rw is ro: the last word of a pair decides */
static bool flag_add(struct mount_options *o, const char *word)
{
	if (o->sb_flag_count == MOUNT_DATA_MAX)
		return false;
	o->sb_flags[o->sb_flag_count++] = word;
	return true;
}

const char *mount_options_parse(struct mount_options *o, char *list)
{
	char *word, *rest = list;

	while ((word = strsep(&rest, ","))) {
		if (!*word || !strncmp(word, "x-", 2) ||
		    !strncmp(word, "X-", 2) ||
		    !strncmp(word, "comment=", 8) ||
		    in_list(word, ignored_words, COUNT(ignored_words)))
			continue;
		if (!strcmp(word, "remount")) {
			o->remount = true;
		} else if (!strcmp(word, "bind")) {
			o->bind = true;
		} else if (in_list(word, sb_words, COUNT(sb_words))) {
			if (!flag_add(o, word))
				return word;
		} else if (!attr_parse(o, word)) {
			if (o->data_count == MOUNT_DATA_MAX)
				return word;
			o->data[o->data_count++] = word;
		}
	}
	return NULL;
}
