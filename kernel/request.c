// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: what the kernel asks the daemon and waits for.
 *
 * A request lives on the stack of its waiter and in one of two lists under
 * req_lock: sbi->reqs (not in the ring yet, oldest first) or sbi->reqs_sent.
 * Whoever takes it off the list ends it: an answer, shutdown, or its waiter
 * when killed; an answer that finds no request by its tag is only counted.
 * When a daemon is lost all of reqs_sent goes back, in order, to reqs.
 */
#include <linux/errno.h>
#include <linux/sched/signal.h>
#include "ring.h"

struct lakefs_req {
	struct list_head link;
	wait_queue_head_t wq;
	struct lakefs_request_hdr *hdr;	/* of the body, filled in */
	u32 body_bytes;
	struct lakefs_answer *answer;	/* may be NULL */
	bool done;
	int result;
};

/* errors a daemon may give; anything else becomes -EIO */
static int lakefs_known_error(s32 status)
{
	switch (status) {
	case 0:
	case -ENOENT:
	case -ENODATA:
	case -ENOSPC:
	case -EIO:
	case -ESTALE:
	case -ERANGE:
	case -EINVAL:
	case -EUCLEAN:
	case -ENOMEM:
	case -EROFS:
	case -ENOTDIR:
	case -EOPNOTSUPP:
	case -EPROTO:
		return status;
	default:
		return -EIO;
	}
}

/* req_lock held; the waiter may be gone as soon as it is dropped */
static void lakefs_req_end(struct lakefs_req *req, int result)
{
	list_del_init(&req->link);
	req->result = result;
	smp_store_release(&req->done, true);	/* pairs with the waiter's */
	wake_up_sync(&req->wq);		/* the daemon will sleep, too */
}

/* Move requests into the ring while there is room and barriers allow. */
void lakefs_req_pump(struct lakefs_sb_info *sbi, bool will_wait)
{
	struct lakefs_attachment *att;
	struct lakefs_req *req, *next;
	bool moved = false;
	int err = 0;

	spin_lock(&sbi->req_lock);
	smp_mb__after_spinlock();	/* pairs with lakefs_pump_waiting */
	att = lakefs_running_att(sbi);
	if (!att)
		goto out;
	list_for_each_entry_safe(req, next, &sbi->reqs, link) {
		/* pairs with the release in record.c: see ring.c */
		if (req->hdr->barrier > smp_load_acquire(&sbi->sent_seq))
			break;
		err = lakefs_ring_put(&att->requests, req->hdr,
				      req->body_bytes, req->hdr->len);
		if (err)
			break;
		list_move_tail(&req->link, &sbi->reqs_sent);
		moved = true;
	}
	if (moved)
		lakefs_ring_publish(&att->requests);
	if (err == -EPROTO)
		lakefs_att_break(att, "bad tail of the request ring");
out:
	spin_unlock(&sbi->req_lock);
	if (moved)
		lakefs_doorbell(sbi, will_wait);
}

static struct lakefs_req *lakefs_req_find(struct lakefs_sb_info *sbi, u64 tag)
{
	struct lakefs_req *req;

	list_for_each_entry(req, &sbi->reqs_sent, link)
		if (req->hdr->tag == tag)
			return req;
	return NULL;
}

/* req_lock held. The payload is copied once, to the waiter's buffer. */
static void lakefs_req_answer(struct lakefs_sb_info *sbi,
			      struct lakefs_req *req,
			      const struct lakefs_reply_hdr *hdr,
			      const u8 *payload)
{
	struct lakefs_answer *answer = req->answer;
	u32 max = answer ? answer->reply_max : 0;
	int result;

	if (hdr->status) {
		result = lakefs_known_error(hdr->status);
	} else if (hdr->payload_bytes > max) {
		result = -EPROTO;
	} else {
		result = hdr->payload_bytes;
		if (answer) {
			memcpy(answer->reply, payload, hdr->payload_bytes);
			answer->reply_bytes = hdr->payload_bytes;
			answer->flags = hdr->flags;
		}
	}
	if (result >= 0 && (req->hdr->op == LAKEFS_R_LEASE_BLOCKS ||
			    req->hdr->op == LAKEFS_R_LEASE_INOS ||
			    req->hdr->op == LAKEFS_R_TRIM))
		WRITE_ONCE(sbi->leases_arriving, sbi->leases_arriving + 1);
	lakefs_req_end(req, result);
}

void lakefs_lease_settled(struct lakefs_sb_info *sbi)
{
	spin_lock(&sbi->req_lock);
	WRITE_ONCE(sbi->leases_arriving, sbi->leases_arriving - 1);
	spin_unlock(&sbi->req_lock);
	wake_up_all(&sbi->state_wq);
}

/* what an answered MOUNT says, remembered until req_lock is dropped */
static void lakefs_peek_mount(struct lakefs_req *req, u64 *epoch, u64 *seq)
{
	struct lakefs_p_mount *p;

	if (req->hdr->op != LAKEFS_R_MOUNT || !req->answer ||
	    req->answer->reply_bytes < sizeof(*p))
		return;
	p = req->answer->reply;
	*epoch = p->epoch;
	*seq = p->last_seq;
}

/* KICK: end the requests whose replies have come */
void lakefs_req_consume(struct lakefs_sb_info *sbi,
			struct lakefs_attachment *att)
{
	struct lakefs_reply_hdr hdr;
	struct lakefs_req *req;
	u64 epoch = 0, seq = 0;
	const u8 *payload;
	int n, got = 0;

	spin_lock(&sbi->req_lock);
	if (lakefs_running_att(sbi) != att)
		goto out;
	n = lakefs_ring_read_head(&att->replies);
	while (!n && (n = lakefs_ring_next_reply(&att->replies, &hdr,
						 &payload)) > 0) {
		n = 0;
		got++;
		req = lakefs_req_find(sbi, hdr.tag);
		if (!req) {
			sbi->late_replies++;
			continue;
		}
		lakefs_req_answer(sbi, req, &hdr, payload);
		lakefs_peek_mount(req, &epoch, &seq);
	}
	if (got)
		lakefs_ring_release(&att->replies);
	if (n < 0)
		lakefs_att_break(att, "bad entry in the reply ring");
out:
	spin_unlock(&sbi->req_lock);
	/*
	 * Within the daemon's own system call: from here on a successor has
	 * to show this epoch, even when the mount has not woken up yet.
	 */
	if (epoch)
		lakefs_mount_answered(sbi, epoch, seq);
}

/* what a lost daemon did not answer is first in line. req_lock held */
void lakefs_req_rewind(struct lakefs_sb_info *sbi)
{
	lockdep_assert_held(&sbi->req_lock);
	list_splice_init(&sbi->reqs_sent, &sbi->reqs);
}

void lakefs_req_fail_all(struct lakefs_sb_info *sbi)
{
	struct lakefs_req *req, *next;

	spin_lock(&sbi->req_lock);
	lakefs_req_rewind(sbi);
	list_for_each_entry_safe(req, next, &sbi->reqs, link)
		lakefs_req_end(req, -EIO);
	spin_unlock(&sbi->req_lock);
}

static int lakefs_req_enqueue(struct lakefs_sb_info *sbi,
			      struct lakefs_req *req)
{
	int err = 0;

	spin_lock(&sbi->req_lock);
	if (lakefs_is_shutdown(sbi)) {
		err = -EIO;
	} else {
		req->hdr->tag = ++sbi->next_tag;
		WRITE_ONCE(sbi->req_count[req->hdr->op],
			   sbi->req_count[req->hdr->op] + 1);
		list_add_tail(&req->link, &sbi->reqs);
	}
	spin_unlock(&sbi->req_lock);
	return err;
}

static int __lakefs_request(struct lakefs_sb_info *sbi, void *body,
			    size_t body_bytes, u16 op, u64 barrier,
			    struct lakefs_answer *answer, unsigned int state)
{
	struct lakefs_req req = {
		.hdr = body,
		.body_bytes = body_bytes,
		.answer = answer,
	};
	int err;

	if (WARN_ON_ONCE(body_bytes < sizeof(*req.hdr) ||
			 body_bytes > LAKEFS_REQUEST_MAX ||
			 op >= LAKEFS_REQ_OPS))
		return -EINVAL;
	if (answer)
		answer->reply_bytes = 0;
	init_waitqueue_head(&req.wq);
	req.hdr->op = op;
	req.hdr->flags = 0;
	req.hdr->len = ALIGN(body_bytes, LAKEFS_ENTRY_ALIGN);
	req.hdr->barrier = min(barrier, lakefs_last_seq(sbi));
	err = lakefs_req_enqueue(sbi, &req);
	if (err)
		return err;
	if (READ_ONCE(sbi->sent_seq) < req.hdr->barrier)
		lakefs_rec_pump(sbi);
	lakefs_req_pump(sbi, true);

	wait_event_state(req.wq, smp_load_acquire(&req.done), state);
	spin_lock(&sbi->req_lock);
	if (!req.done) {
		list_del(&req.link);
		req.result = -EINTR;
	}
	spin_unlock(&sbi->req_lock);
	return req.result;
}

int lakefs_request(struct lakefs_sb_info *sbi, void *body, size_t body_bytes,
		   u16 op, u64 barrier, struct lakefs_answer *answer)
{
	return __lakefs_request(sbi, body, body_bytes, op, barrier, answer,
				LAKEFS_WAIT_KILLABLE);
}

int lakefs_request_unkillable(struct lakefs_sb_info *sbi, void *body,
			      size_t body_bytes, u16 op, u64 barrier,
			      struct lakefs_answer *answer)
{
	return __lakefs_request(sbi, body, body_bytes, op, barrier, answer,
				LAKEFS_WAIT_ALWAYS);
}

u64 lakefs_unknown_barrier(struct lakefs_sb_info *sbi)
{
	return atomic64_read(&sbi->evict_seq);
}
