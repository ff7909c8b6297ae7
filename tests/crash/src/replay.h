/* SPDX-License-Identifier: MPL-2.0 */
/* What the replayer's two files share. */
#ifndef REPLAY_H
#define REPLAY_H

#include "lakecrash.h"

struct lc_hooks {
	const char *fs, *options, *dir;
	const char *mount, *umount, *fsck;	/* commands, or NULL */
	const char *socket;		/* laked's, to verify the mounted lake */
};

struct lc_verdict {
	int failures;
	char text[4096];		/* reasons, one per line */
};

int lc_judge(const struct lc_hooks *hooks, const char *device,
	     const struct lc_check *check, struct lc_verdict *v);

#endif
