// SPDX-License-Identifier: MPL-2.0
/* Reads the names of one stream's directory and compares them to a model. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lakecrash.h"

static int fail(struct lc_tree *t, const char *what, const char *path)
{
	snprintf(t->error, sizeof(t->error), "%s %.300s: %s", what, path,
		 strerror(errno));
	return -1;
}

static int read_target(struct lc_tree *t, struct lc_found *f,
		       const char *path)
{
	char target[512];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return fail(t, "readlink", path);
	target[n] = 0;
	f->target = strdup(target);
	return 0;
}

static int read_xattr(struct lc_tree *t, struct lc_found *f, const char *path)
{
	ssize_t n = lgetxattr(path, LC_XATTR_NAME, &f->xattr,
			      sizeof(f->xattr));

	if (n == sizeof(f->xattr) || (n < 0 && errno == ENODATA))
		return 0;
	if (n >= 0)
		errno = EINVAL;
	return fail(t, "getxattr", path);
}

/* Index of the new entry, or -1 with t->error set. */
static int add_found(struct lc_tree *t, const char *path)
{
	struct lc_found *f;
	struct stat st;

	if (lstat(path, &st))
		return fail(t, "stat", path);
	if (t->nfound == t->cap_found) {
		t->cap_found = t->cap_found ? 2 * t->cap_found : 128;
		t->found = lc_grow(t->found, t->cap_found * sizeof(*f));
	}
	f = &t->found[t->nfound];
	memset(f, 0, sizeof(*f));
	f->mode = st.st_mode & 07777;
	f->nlink = st.st_nlink;
	f->ino = st.st_ino;
	f->size = st.st_size;
	f->path = strdup(path);
	for (int i = 0; i < LC_NAMES; i++)
		f->entries[i] = -1;
	if (S_ISDIR(st.st_mode))
		f->type = LC_DIR;
	else if (S_ISREG(st.st_mode))
		f->type = LC_FILE;
	else if (S_ISLNK(st.st_mode))
		f->type = LC_SYMLINK;
	else {
		errno = EINVAL;
		return fail(t, "strange type of", path);
	}
	if (f->type == LC_SYMLINK && read_target(t, f, path))
		return -1;
	if (f->type != LC_SYMLINK && read_xattr(t, f, path))
		return -1;
	return t->nfound++;
}

static int scan(struct lc_tree *t, const char *path);

static int scan_entries(struct lc_tree *t, int at, DIR *dir,
			const char *path)
{
	struct dirent *e;
	char below[4096];

	while ((errno = 0, e = readdir(dir))) {
		int name, child;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		name = lc_name_index(e->d_name);
		if (name < 0) {
			errno = EINVAL;
			return fail(t, "name never used", below);
		}
		if (t->found[at].entries[name] >= 0) {
			errno = EEXIST;
			return fail(t, "name listed twice", below);
		}
		child = scan(t, below);
		if (child < 0)
			return -1;
		t->found[at].entries[name] = child;
		if (e->d_ino != t->found[child].ino) {
			errno = EINVAL;
			return fail(t, "readdir and stat disagree on", below);
		}
	}
	return errno ? fail(t, "readdir", path) : 0;
}

static int scan(struct lc_tree *t, const char *path)
{
	int at = add_found(t, path);
	int error;
	DIR *dir;

	if (at < 0 || t->found[at].type != LC_DIR)
		return at;
	dir = opendir(path);
	if (!dir)
		return fail(t, "opendir", path);
	error = scan_entries(t, at, dir, path);
	closedir(dir);
	return error ? -1 : at;
}

/* 0, or -1 with the reason in t->error. */
int lc_tree_scan(struct lc_tree *t, const char *dir)
{
	memset(t, 0, sizeof(*t));
	return scan(t, dir) < 0 ? -1 : 0;
}

void lc_tree_free(struct lc_tree *t)
{
	for (int i = 0; i < t->nfound; i++) {
		free(t->found[i].path);
		free(t->found[i].target);
	}
	free(t->found);
}

static bool match_inode(struct lc_found *f, const struct lc_model *m,
			int node, char *why, size_t why_bytes)
{
	struct lc_node *n = &m->nodes[node];
	char target[256];

	if (f->type != n->type)
		snprintf(why, why_bytes, "%s: type %d, not %d", f->path,
			 f->type, n->type);
	else if (f->nlink != n->nlink)
		snprintf(why, why_bytes, "%s: %u links, not %u", f->path,
			 f->nlink, n->nlink);
	else if (f->mode != n->mode)
		snprintf(why, why_bytes, "%s: mode %o, not %o", f->path,
			 f->mode, n->mode);
	else if (f->xattr != n->xattr)
		snprintf(why, why_bytes, "%s: xattr %u, not %u", f->path,
			 f->xattr, n->xattr);
	else if (n->seen_ino && n->seen_ino != f->ino)
		snprintf(why, why_bytes, "%s: another inode than its links",
			 f->path);
	else
		why[0] = 0;
	if (why[0])
		return false;
	f->node = node;
	n->seen_ino = f->ino;
	if (f->type != LC_SYMLINK)
		return true;
	lc_target(m, node, target, sizeof(target));
	if (!strcmp(target, f->target))
		return true;
	snprintf(why, why_bytes, "%s: target %s, not %s", f->path, f->target,
		 target);
	return false;
}

static bool match(struct lc_tree *t, int at, struct lc_model *m, int node,
		  char *why, size_t why_bytes)
{
	struct lc_found *f = &t->found[at];

	if (!match_inode(f, m, node, why, why_bytes))
		return false;
	if (f->type != LC_DIR)
		return true;
	for (int i = 0; i < LC_NAMES; i++) {
		int want = m->nodes[node].entries[i];
		int have = f->entries[i];

		if (want < 0 && have < 0)
			continue;
		if (want < 0 || have < 0) {
			snprintf(why, why_bytes, "%s/%.16s: %s", f->path,
				 lc_name(i), want < 0 ? "should not exist" :
				 "is missing");
			return false;
		}
		if (!match(t, have, m, want, why, why_bytes))
			return false;
	}
	return true;
}

/*
 * Names, types, modes, links and targets equal the model's.  Link counts
 * are compared, so one inode number for every name of a model inode makes
 * the assignment one to one.
 */
bool lc_tree_match(struct lc_tree *t, struct lc_model *m, char *why,
		   size_t why_bytes)
{
	for (int i = 0; i < m->nnodes; i++)
		m->nodes[i].seen_ino = 0;
	return match(t, 0, m, 0, why, why_bytes);
}
