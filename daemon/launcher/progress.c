// SPDX-License-Identifier: MPL-2.0
/*
 * A daemon that dies again and again without making anything durable will
 * not get further by trying: the mount it fails on is shut down, so that
 * programs get an error instead of waiting for ever.
 */
#include "common.h"
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOUNTS_MAX		64
#define DEATHS_AT_ONE_SEQ	8

struct mount_progress {
	char name[64];
	unsigned long long durable_seq;
	int deaths;
	unsigned int round;	/* of the last death it was seen at */
	bool shut_down;
};

static struct mount_progress mounts[MOUNTS_MAX];
static int mount_count;
static unsigned int death_round;

static struct mount_progress *mount_find(const char *name)
{
	struct mount_progress *m;
	int i;

	for (i = 0; i < mount_count; i++)
		if (!strcmp(mounts[i].name, name))
			return &mounts[i];
	if (mount_count == MOUNTS_MAX)
		return NULL;
	m = &mounts[mount_count++];
	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "%s", name);
	return m;
}

static void mount_shut_down(struct mount_progress *m, const char *reason)
{
	char path[192], text[192];

	snprintf(path, sizeof(path), LAKE_SYSFS_DIR "/%s/shutdown", m->name);
	snprintf(text, sizeof(text), "laked died %d times at seq %llu: %s",
		 m->deaths, m->durable_seq, reason);
	m->shut_down = true;
	/* a kernel that takes no reason takes a yes */
	if (lake_write_text(path, text) && lake_write_text(path, "1"))
		lake_log(LAKE_ERR, "cannot shut %s down: %s", m->name,
			 strerror(errno));
	else
		lake_log(LAKE_ERR, "%s is shut down (%s); see %s, then run "
			 "lakectl verify on the device", m->name, text,
			 LAKE_LOG_PATH);
}

/* True when this mount has got further since the last death. */
static bool mount_note_death(const char *name, const char *reason)
{
	struct mount_progress *m;
	char path[192], text[64];
	unsigned long long seq;
	bool known;

	snprintf(path, sizeof(path), LAKE_SYSFS_DIR "/%s/durable_seq", name);
	if (lake_read_text(path, text, sizeof(text)) <= 0)
		return false;
	seq = strtoull(text, NULL, 0);
	m = mount_find(name);
	if (!m)
		return false;
	known = m->deaths > 0;
	m->round = death_round;
	if (known && m->durable_seq == seq) {
		if (++m->deaths >= DEATHS_AT_ONE_SEQ && !m->shut_down)
			mount_shut_down(m, reason);
		return false;
	}
	m->durable_seq = seq;
	m->deaths = 1;
	return known;
}

bool progress_note_death(const char *reason)
{
	DIR *dir = opendir(LAKE_SYSFS_DIR);
	struct dirent *entry;
	bool progress = false;
	int i = 0;

	if (!dir)
		return false;
	death_round++;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < 64 &&
		    mount_note_death(entry->d_name, reason))
			progress = true;
	closedir(dir);
	/* forget what is not mounted any more */
	while (i < mount_count)
		if (mounts[i].round == death_round)
			i++;
		else
			mounts[i] = mounts[--mount_count];
	return progress;
}
