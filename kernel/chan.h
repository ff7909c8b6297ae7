/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of /dev/lakefs: mounts.c (the mounts that want a daemon, and their
 * end), attach.c (a daemon comes, is ready, goes), chan.c (the file), sealcall.c
 * (calls that concern inodes).
 * Locks: sbi->chan_lock (attach, ready, detach of one mount) outside the lock
 * of mounts.c (the list of mounts and of open files).
 */
#ifndef LAKEFS_CHAN_H
#define LAKEFS_CHAN_H

#include "ring.h"

/* one open /dev/lakefs */
struct lakefs_chan_file {
	struct mutex lock;		/* one ATTACH at a time */
	wait_queue_head_t wq;
	struct list_head link;		/* mounts.c */
	u64 seen_id;			/* of the wanted list */
	struct lakefs_attachment *att;	/* set once, with release */
};

/* mounts.c */
void lakefs_chan_file_add(struct lakefs_chan_file *cf);
void lakefs_chan_file_del(struct lakefs_chan_file *cf);
bool lakefs_wanted_news(struct lakefs_chan_file *cf);
int lakefs_ioc_next_wanted(struct lakefs_chan_file *cf,
			   struct lakefs_wanted __user *argp);
/* the mount of a device, with a reference; NULL: not mounted */
struct lakefs_sb_info *lakefs_mount_find(dev_t dev);
/* chan_lock held */
void lakefs_mount_has_daemon(struct lakefs_sb_info *sbi);
void lakefs_mount_lost_daemon(struct lakefs_sb_info *sbi);

/* sealcall.c */
/* LAKEFS_IOC_SEAL, CHECKED, UNSEAL, SHARE */
int lakefs_ioc_call(struct lakefs_attachment *att, unsigned int cmd,
		    void __user *argp);

/* attach.c */
int lakefs_ioc_attach(struct lakefs_chan_file *cf,
		      struct lakefs_attach __user *argp);
int lakefs_ioc_declare(struct lakefs_attachment *att,
		       struct lakefs_declare __user *argp);
int lakefs_ioc_ready(struct lakefs_attachment *att,
		     const struct lakefs_ready __user *argp);
void lakefs_att_detach(struct lakefs_attachment *att);
void lakefs_att_free(struct lakefs_attachment *att);
/* no COMMIT of this attachment is under way or will begin. chan_lock held */
void lakefs_att_fence(struct lakefs_attachment *att);

#endif /* LAKEFS_CHAN_H */
