/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Byte rings and the attachment that owns them. Known to ring.c, record.c,
 * request.c, commit.c, sysfs.c and those of chan.h; nothing here knows of inodes.
 */
#ifndef LAKEFS_RING_INTERNAL_H
#define LAKEFS_RING_INTERNAL_H

#include "lakefs.h"

/* a ring the kernel fills: intents (rec_lock), requests (req_lock) */
struct lakefs_out_ring {
	u8 *base;
	u32 bytes;			/* power of two */
	u64 head;			/* ours; never read back */
	u64 tail;			/* the daemon's, as last checked */
	__u64 *head_word;		/* in the kernel's page */
	const __u64 *tail_word;		/* in the daemon's page */
};

/* the ring the daemon fills: replies (req_lock) */
struct lakefs_in_ring {
	const u8 *base;
	u32 bytes;
	u64 head;			/* the daemon's, as last checked */
	u64 tail;			/* ours */
	const __u64 *head_word;
	__u64 *tail_word;
};

/*
 * One open file of /dev/lakefs that became the daemon of a mount. Lives until
 * the file is closed (no mapping is left then); reached from the mount by
 * sbi->att under rec_lock, req_lock or RCU.
 */
struct lakefs_attachment {
	struct lakefs_sb_info *sbi;	/* holds a reference */
	wait_queue_head_t *poll_wq;	/* of the file */
	u64 generation;
	bool ready;			/* sbi->chan_lock */
	bool detached;			/* sbi->chan_lock + commit_sem */
	bool broken;			/* sticky; the ring was nonsense */
	void *ro;			/* vmalloc: LAKEFS_RO_BYTES */
	void *rw;			/* vmalloc: LAKEFS_RW_BYTES */
	struct lakefs_kpage *k;		/* = ro; words written, never read */
	struct lakefs_dpage *d;		/* = rw; words read once, checked */
	struct lakefs_out_ring intents;
	struct lakefs_out_ring requests;
	struct lakefs_in_ring replies;
};

void lakefs_rings_init(struct lakefs_attachment *att);
int lakefs_ring_put(struct lakefs_out_ring *ring, const void *data, u32 bytes,
		    u32 len);
void lakefs_ring_publish(struct lakefs_out_ring *ring);
bool lakefs_ring_crowded(struct lakefs_out_ring *ring);
bool lakefs_ring_unread(const struct lakefs_out_ring *ring);
int lakefs_ring_read_head(struct lakefs_in_ring *ring);
int lakefs_ring_next_reply(struct lakefs_in_ring *ring,
			   struct lakefs_reply_hdr *hdr, const u8 **payload);
void lakefs_ring_release(struct lakefs_in_ring *ring);

/* the daemon broke the protocol: no more traffic (rec_lock or req_lock) */
void lakefs_att_break(struct lakefs_attachment *att, const char *what);
/*
 * Wake the daemon if it sleeps or is about to. will_wait: the caller goes to
 * sleep itself, so the daemon may well run on this processor.
 */
void lakefs_doorbell(struct lakefs_sb_info *sbi, bool will_wait);
void lakefs_bell_work(struct work_struct *work);

/* request.c, for attach.c and chan.c */
void lakefs_req_pump(struct lakefs_sb_info *sbi, bool will_wait);
void lakefs_req_consume(struct lakefs_sb_info *sbi,
			struct lakefs_attachment *att);
void lakefs_req_rewind(struct lakefs_sb_info *sbi);	/* req_lock held */
void lakefs_req_fail_all(struct lakefs_sb_info *sbi);

/* record.c, for super.c */
void lakefs_mount_answered(struct lakefs_sb_info *sbi, u64 epoch, u64 seq);

/* commit.c */
int lakefs_commit(struct lakefs_attachment *att,
		  const struct lakefs_commit *arg);
extern bool lakefs_unsafe_no_flush;

/* mounts.c, for sysfs.c */
const char *lakefs_chan_state(struct lakefs_sb_info *sbi);

/* the attachment traffic goes through now, or NULL. rec_lock or req_lock */
static inline struct lakefs_attachment *
lakefs_running_att(struct lakefs_sb_info *sbi)
{
	struct lakefs_attachment *att;

	att = rcu_dereference_check(sbi->att,
				    lockdep_is_held(&sbi->rec_lock) ||
				    lockdep_is_held(&sbi->req_lock));
	if (!att || READ_ONCE(att->broken) ||
	    !test_bit(LAKEFS_SB_RUNNING, &sbi->state))
		return NULL;
	return att;
}

/* how killable and unkillable waits sleep: frozen with VFS locks held */
#define LAKEFS_WAIT_KILLABLE	(TASK_KILLABLE | TASK_FREEZABLE_UNSAFE)
#define LAKEFS_WAIT_ALWAYS	(TASK_IDLE | TASK_FREEZABLE_UNSAFE)

#endif /* LAKEFS_RING_INTERNAL_H */
