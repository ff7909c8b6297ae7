// SPDX-License-Identifier: GPL-2.0
/*
 * Byte rings shared with the daemon.
 *
 * Each index has one writer. The kernel keeps its own indices privately and
 * never reads back what it stored in shared memory; the daemon's are read
 * once and checked before use. The barriers, each with its partner:
 *
 *   lakefs_ring_publish: store-release of head_word, after the entries are
 *	written. Pairs with the daemon's load-acquire of the head: it sees
 *	whole entries only.
 *   lakefs_ring_read_tail: load-acquire of tail_word. Pairs with the daemon's
 *	store-release of its tail after it copied the entries: what is
 *	overwritten has been read.
 *   lakefs_ring_read_head: load-acquire of head_word. Pairs with the
 *	daemon's store-release of reply_head after the reply was written.
 *   lakefs_ring_release: store-release of tail_word after the replies were
 *	copied. Pairs with the daemon's load-acquire of reply_tail.
 *   lakefs_doorbell: full barrier between the publishing stores and the read
 *	of "sleeping". Pairs with the daemon's full barrier between its store
 *	of "sleeping" and its last look at the heads: one of the two sees the
 *	other, so no entry is left lying beside a sleeping daemon.
 *   lakefs_pump_room (record.c): full barrier between the store of last_seq
 *	and the re-read of a full ring's tail. Pairs with the daemon's full
 *	barrier between its store of the tail and its read of last_seq, by
 *	which it decides whether to KICK.
 *   lakefs_rec_pump -> lakefs_req_pump: sent_seq is stored with release after
 *	intent_head and loaded with acquire before request_head is published:
 *	a daemon that sees a request sees the intents it must not overtake.
 *   lakefs_pump_waiting (record.c) -> lakefs_req_pump: full barriers, so that
 *	a request cannot be left behind by the records it waited for.
 */
#include <linux/poll.h>
#include "ring.h"

void lakefs_rings_init(struct lakefs_attachment *att)
{
	u8 *ro = att->ro;
	u8 *rw = att->rw;

	att->k = att->ro;
	att->d = att->rw;
	att->intents = (struct lakefs_out_ring){
		.base = ro + LAKEFS_RING_PAGE,
		.bytes = LAKEFS_INTENT_RING_BYTES,
		.head_word = &att->k->intent_head,
		.tail_word = &att->d->intent_tail,
	};
	att->requests = (struct lakefs_out_ring){
		.base = ro + LAKEFS_RING_PAGE + LAKEFS_INTENT_RING_BYTES,
		.bytes = LAKEFS_REQUEST_RING_BYTES,
		.head_word = &att->k->request_head,
		.tail_word = &att->d->request_tail,
	};
	att->replies = (struct lakefs_in_ring){
		.base = rw + LAKEFS_RING_PAGE,
		.bytes = LAKEFS_REPLY_RING_BYTES,
		.head_word = &att->d->reply_head,
		.tail_word = &att->k->reply_tail,
	};
}

static int lakefs_ring_read_tail(struct lakefs_out_ring *ring)
{
	u64 tail = smp_load_acquire(ring->tail_word);

	if (tail - ring->tail > ring->head - ring->tail ||
	    tail % LAKEFS_ENTRY_ALIGN)
		return -EPROTO;
	ring->tail = tail;
	return 0;
}

/* head of both kinds of entries the kernel sends: len, op, flags */
static void lakefs_ring_pad(struct lakefs_out_ring *ring, u32 at, u32 len)
{
	struct lakefs_intent_hdr pad = { .len = len };

	memcpy(ring->base + at, &pad, min_t(u32, len, sizeof(pad)));
	ring->head += len;
}

/*
 * Append one entry of len bytes: data[bytes], zeroes up to len. -EAGAIN when
 * there is no room, -EPROTO when the daemon's tail is nonsense.
 */
int lakefs_ring_put(struct lakefs_out_ring *ring, const void *data, u32 bytes,
		    u32 len)
{
	u32 at = ring->head & (ring->bytes - 1);
	u32 to_end = ring->bytes - at;
	u32 need = len <= to_end ? len : to_end + len;

	if (need > ring->bytes - (ring->head - ring->tail)) {
		int err = lakefs_ring_read_tail(ring);

		if (err)
			return err;
		if (need > ring->bytes - (ring->head - ring->tail))
			return -EAGAIN;
	}
	if (len > to_end) {
		lakefs_ring_pad(ring, at, to_end);
		at = 0;
	}
	memcpy(ring->base + at, data, bytes);
	memset(ring->base + at + bytes, 0, len - bytes);
	ring->head += len;
	return 0;
}

void lakefs_ring_publish(struct lakefs_out_ring *ring)
{
	smp_store_release(ring->head_word, ring->head);
}

/*
 * Is a quarter of the ring waiting for the daemon? What it took since we last
 * looked counts only when that matters: the word is in its cache line.
 */
bool lakefs_ring_crowded(struct lakefs_out_ring *ring)
{
	if (ring->head - ring->tail <= ring->bytes / 4)
		return false;
	/* nonsense is dealt with when room is needed (lakefs_ring_put) */
	return lakefs_ring_read_tail(ring) ||
	       ring->head - ring->tail > ring->bytes / 4;
}

/* for poll: is there something the daemon has not consumed? A hint only. */
bool lakefs_ring_unread(const struct lakefs_out_ring *ring)
{
	return READ_ONCE(*ring->tail_word) != READ_ONCE(ring->head);
}

/* Once for each KICK: a daemon that goes on writing does not keep us reading. */
int lakefs_ring_read_head(struct lakefs_in_ring *ring)
{
	u64 head = smp_load_acquire(ring->head_word);

	if (head - ring->tail > ring->bytes ||
	    head - ring->tail < ring->head - ring->tail ||
	    head % LAKEFS_ENTRY_ALIGN)
		return -EPROTO;
	ring->head = head;
	return 0;
}

/* is this a pad that reaches exactly to the end of the ring? */
static bool lakefs_reply_is_pad(const struct lakefs_reply_hdr *hdr, u32 to_end)
{
	if (to_end < offsetofend(struct lakefs_reply_hdr, tag))
		return true;
	return hdr->tag == LAKEFS_REPLY_TAG_PAD;
}

/*
 * Take the next reply: 1, its header copied to hdr and *payload pointing to
 * hdr->payload_bytes bytes in shared memory (to be copied once, before
 * lakefs_ring_release). 0: none below the head as last read. -EPROTO: nonsense.
 */
int lakefs_ring_next_reply(struct lakefs_in_ring *ring,
			   struct lakefs_reply_hdr *hdr, const u8 **payload)
{
	for (;;) {
		u32 at = ring->tail & (ring->bytes - 1);
		u32 to_end = ring->bytes - at;
		u64 have = ring->head - ring->tail;

		if (!have)
			return 0;
		memcpy(hdr, ring->base + at, min_t(u32, to_end, sizeof(*hdr)));
		if (lakefs_reply_is_pad(hdr, to_end)) {
			if (hdr->len != to_end || have < to_end)
				return -EPROTO;
			ring->tail += to_end;
			continue;
		}
		if (hdr->len < sizeof(*hdr) || hdr->len > LAKEFS_REPLY_MAX ||
		    hdr->len % LAKEFS_ENTRY_ALIGN || hdr->len > to_end ||
		    hdr->len > have ||
		    hdr->payload_bytes > hdr->len - sizeof(*hdr))
			return -EPROTO;
		*payload = ring->base + at + sizeof(*hdr);
		ring->tail += hdr->len;
		return 1;
	}
}

void lakefs_ring_release(struct lakefs_in_ring *ring)
{
	smp_store_release(ring->tail_word, ring->tail);
}

/*
 * The daemon broke the protocol. Nothing moves any more through this
 * attachment; its file says POLLERR, and the mount waits for a successor,
 * which can come once this daemon closed its file.
 */
void lakefs_att_break(struct lakefs_attachment *att, const char *what)
{
	if (att->broken)
		return;
	WRITE_ONCE(att->broken, true);
	clear_bit(LAKEFS_SB_RUNNING, &att->sbi->state);
	lakefs_err(att->sbi, "the daemon broke the ring protocol: %s", what);
	wake_up_interruptible_poll(att->poll_wq, EPOLLERR);
	/* calls that wait (sealcall.c) */
	wake_up_all(&att->sbi->state_wq);
}

void lakefs_doorbell(struct lakefs_sb_info *sbi, bool will_wait)
{
	struct lakefs_attachment *att;

	smp_mb();	/* see the opening comment */
	rcu_read_lock();
	att = rcu_dereference(sbi->att);
	if (att && READ_ONCE(att->d->sleeping)) {
		if (will_wait)
			wake_up_interruptible_sync_poll(att->poll_wq, EPOLLIN);
		else
			wake_up_interruptible_poll(att->poll_wq, EPOLLIN);
	}
	rcu_read_unlock();
}

void lakefs_bell_work(struct work_struct *work)
{
	/* what was kept back to be joined with what follows goes, too */
	lakefs_rec_pump(container_of(to_delayed_work(work),
				     struct lakefs_sb_info, bell_work));
}
