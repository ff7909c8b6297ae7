// SPDX-License-Identifier: MPL-2.0
/* Extent maps of the fake daemon: sorted arrays, no two overlap. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "fake.h"

static void insert(struct node *n, size_t at, struct extent x)
{
	if (n->extent_count == n->extent_room) {
		n->extent_room = n->extent_room * 2 + 4;
		n->extents = realloc(n->extents,
				     n->extent_room * sizeof(*n->extents));
	}
	memmove(n->extents + at + 1, n->extents + at,
		(n->extent_count - at) * sizeof(*n->extents));
	n->extents[at] = x;
	n->extent_count++;
}

static void erase(struct node *n, size_t at)
{
	n->extent_count--;
	memmove(n->extents + at, n->extents + at + 1,
		(n->extent_count - at) * sizeof(*n->extents));
}

static bool is_packed(const struct extent *x)
{
	return x->flags & LAKEFS_EXTENT_PACKED;
}

static u32 skew_of(const struct extent *x)
{
	return is_packed(x) ? 0 : (x->flags & LAKEFS_EXTENT_SKEW_MASK) >>
				  LAKEFS_EXTENT_SKEW_SHIFT;
}

u64 extent_base(const struct extent *x)
{
	return is_packed(x) ? x->phys >> LAKEFS_PACK_BITS : x->phys;
}

u64 extent_spans(const struct extent *x)
{
	if (is_packed(x))
		return 1 + ((x->flags & LAKEFS_EXTENT_SPAN_MASK) >>
			    LAKEFS_EXTENT_SPAN_SHIFT);
	return x->blocks + !!skew_of(x);
}

static void share(const struct extent *x)
{
	space_share(extent_base(x), extent_spans(x));
}

/* where on the device the content of a block of it begins, bytes */
static u64 device_at(const struct extent *x, u64 block)
{
	return (x->phys + (block - x->file)) * LAKEFS_BLOCK_SIZE + skew_of(x);
}

/* first extent that ends after block */
static size_t place(struct node *n, u64 block)
{
	size_t lo = 0, hi = n->extent_count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (n->extents[mid].file + n->extents[mid].blocks <= block)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Take [first, end) out of the map; free_blocks: and free what was there. */
static void cut(struct node *n, u64 first, u64 end, u64 seq, bool free_blocks)
{
	size_t at = place(n, first);

	while (at < n->extent_count && n->extents[at].file < end) {
		struct extent x = n->extents[at];
		u64 x_end = x.file + x.blocks;
		u64 lo = x.file > first ? x.file : first;
		u64 hi = x_end < end ? x_end : end;

		struct extent left = { x.file, x.phys, lo - x.file, x.flags };
		struct extent right = { hi, x.phys + hi - x.file, x_end - hi,
					x.flags };

		erase(n, at);
		if (right.blocks)
			insert(n, at, right);
		if (left.blocks)
			insert(n, at++, left);
		if (skew_of(&x) || is_packed(&x)) {
			/* what is left refers to its blocks, the old no more */
			if (left.blocks)
				share(&left);
			if (right.blocks)
				share(&right);
			space_free(extent_base(&x), extent_spans(&x), seq);
		} else if (free_blocks) {
			space_free(x.phys + lo - x.file, hi - lo, seq);
		}
		n->rec.blocks -= hi - lo;
	}
}

void extents_cut(struct node *n, u64 first, u64 end, u64 seq)
{
	cut(n, first, end, seq, true);
}

/* is the whole range mapped to these very blocks already? */
static bool same_blocks(struct node *n, const struct lakefs_i_map *e)
{
	u64 block = e->file_block, end = block + e->blocks;
	size_t at = place(n, block);

	for (; block < end; at++) {
		struct extent *x = n->extents + at;

		if (at == n->extent_count || x->file > block || is_packed(x) ||
		    x->phys + (block - x->file) !=
		    e->phys_block + (block - e->file_block))
			return false;
		block = x->file + x->blocks;
	}
	return true;
}

const char *extents_map(struct node *n, const struct lakefs_i_map *e)
{
	struct extent x = { e->file_block, e->phys_block, e->blocks,
			    e->flags & LAKEFS_EXTENT_UNWRITTEN };
	const char *wrong = NULL;

	if (!e->blocks || e->flags & ~(LAKEFS_EXTENT_UNWRITTEN |
				       LAKEFS_EXTENT_CRC))
		return "map: nonsense";
	if ((e->flags & LAKEFS_EXTENT_CRC) &&
	    e->hdr.len < sizeof(*e) + 4ull * e->blocks)
		return "map: too short for its crcs";
	if (same_blocks(n, e)) {
		if (extents_any_sealed(n, x.file, x.file + x.blocks))
			return "map: of sealed blocks again";
		cut(n, x.file, x.file + x.blocks, e->hdr.seq, false);
	} else {
		cut(n, x.file, x.file + x.blocks, e->hdr.seq, true);
		wrong = space_use(x.phys, x.blocks);
	}
	insert(n, place(n, x.file), x);
	n->rec.blocks += x.blocks;
	if (e->size > n->rec.size)
		n->rec.size = e->size;
	n->rec.mtime = e->mtime;
	n->rec.ctime = e->ctime;
	n->rec.last_seq = e->hdr.seq;
	return wrong;
}

/* what src has written in [from, +blocks) is dst's, too, from to on */
static void copy(struct node *src, u64 from, struct node *dst, u64 to,
		 u64 blocks, u64 seq)
{
	u64 end = from + blocks, at = from;

	cut(dst, to, to + blocks, seq, true);
	while (at < end) {
		size_t i = place(src, at);
		struct extent x;

		if (i == src->extent_count || src->extents[i].file >= end)
			break;
		x = src->extents[i];
		if (x.file < at) {
			x.phys += at - x.file;
			x.blocks -= at - x.file;
			x.file = at;
		}
		if (x.file + x.blocks > end)
			x.blocks = end - x.file;
		at = x.file + x.blocks;
		if (x.flags & LAKEFS_EXTENT_UNWRITTEN)
			continue;
		share(&x);
		x.file = x.file - from + to;
		insert(dst, place(dst, x.file), x);
		dst->rec.blocks += x.blocks;
	}
}

const char *extents_clone(struct node *src, struct node *dst,
			  const struct lakefs_i_clone *e)
{
	if (!e->blocks || e->blocks > LAKEFS_CLONE_BLOCKS_MAX)
		return "clone: nonsense";
	if (src == dst && e->src_block < e->dst_block + e->blocks &&
	    e->dst_block < e->src_block + e->blocks)
		return "clone: over itself";
	copy(src, e->src_block, dst, e->dst_block, e->blocks, e->hdr.seq);
	if (e->size > dst->rec.size)
		dst->rec.size = e->size;
	dst->rec.mtime = e->mtime;
	dst->rec.ctime = e->ctime;
	dst->rec.last_seq = e->hdr.seq;
	return NULL;
}

/* is all that is written there checked? */
static bool all_checked(struct node *n, u64 first, u64 end)
{
	for (size_t i = place(n, first); i < n->extent_count; i++) {
		struct extent *x = n->extents + i;

		if (x->file >= end)
			break;
		if (!(x->flags & (LAKEFS_EXTENT_UNWRITTEN |
				  LAKEFS_EXTENT_CHECKED)))
			return false;
	}
	return true;
}

/* [first, end) of the file follows on the device: from where, bytes; 0: not */
static u64 in_one_piece(struct node *n, u64 first, u64 end)
{
	u64 block = first, start = 0;
	size_t i = place(n, first);

	for (; block < end; i++) {
		struct extent *x = n->extents + i;
		u64 at;

		if (i == n->extent_count || x->file > block ||
		    x->flags & (LAKEFS_EXTENT_UNWRITTEN | LAKEFS_EXTENT_PACKED))
			return 0;
		at = device_at(x, block);
		if (block == first)
			start = at;
		else if (at != start + (block - first) * LAKEFS_BLOCK_SIZE)
			return 0;
		block = x->file + x->blocks;
	}
	return start;
}

/* from within a block: an extent of the same bytes of the device */
static const char *share_piece(struct node *src, struct node *dst,
			       const struct lakefs_i_share *e)
{
	u64 from = e->src_pos / LAKEFS_BLOCK_SIZE;
	u64 at = in_one_piece(src, from, from + e->blocks + 1);
	struct extent x = {
		.file = e->dst_block, .blocks = e->blocks,
		.flags = LAKEFS_EXTENT_SEALED | LAKEFS_EXTENT_CHECKED,
	};

	if (!at)
		return "share: of what is not in one piece";
	at += e->src_pos % LAKEFS_BLOCK_SIZE;
	x.phys = at / LAKEFS_BLOCK_SIZE;
	x.flags |= at % LAKEFS_BLOCK_SIZE << LAKEFS_EXTENT_SKEW_SHIFT;
	share(&x);
	cut(dst, x.file, x.file + x.blocks, e->hdr.seq, true);
	insert(dst, place(dst, x.file), x);
	dst->rec.blocks += x.blocks;
	return NULL;
}

/*
 * Sizes, times and bytes stay: that the two are equal is what the test asked
 * for.
 */
const char *extents_share(struct node *src, struct node *dst,
			  const struct lakefs_i_share *e)
{
	u64 from = e->src_pos / LAKEFS_BLOCK_SIZE;
	bool within = e->src_pos % LAKEFS_BLOCK_SIZE;
	const char *wrong = NULL;

	if (!e->blocks || e->blocks > LAKEFS_CLONE_BLOCKS_MAX ||
	    e->hdr.len != sizeof(*e))
		return "share: nonsense";
	if (src == dst || !S_ISREG(src->rec.mode) || !S_ISREG(dst->rec.mode))
		return "share: not two regular files";
	if (!all_checked(src, from, from + e->blocks + within))
		return "share: of what is not checked";
	if (!all_checked(dst, e->dst_block, e->dst_block + e->blocks))
		return "share: onto what is not checked";
	if (within)
		wrong = share_piece(src, dst, e);
	else
		copy(src, from, dst, e->dst_block, e->blocks, e->hdr.seq);
	if (wrong)
		return wrong;
	src->rec.last_seq = e->hdr.seq;
	dst->rec.last_seq = e->hdr.seq;
	return NULL;
}

static bool hole(struct node *n, u64 first, u64 end)
{
	size_t at = place(n, first);

	return first >= end || at == n->extent_count ||
	       n->extents[at].file >= end;
}

/* an extent over block is cut in two there; the first one behind it */
static size_t split(struct node *n, u64 block)
{
	size_t at = place(n, block);
	struct extent *x = n->extents + at;
	u64 left;

	if (at == n->extent_count || x->file >= block)
		return at;
	left = block - x->file;
	/* both parts refer to the block in which the first one ends */
	if (skew_of(x))
		space_share(x->phys + left, 1);
	if (is_packed(x))
		share(x);
	insert(n, at + 1, (struct extent){ block, x->phys + left,
					   x->blocks - left, x->flags });
	n->extents[at].blocks = left;
	return at + 1;
}

const char *extents_shift(struct node *n, const struct lakefs_i_shift *e)
{
	bool up = e->flags == LAKEFS_SHIFT_UP;
	u64 end = e->file_block + e->blocks, mapped = 0;
	size_t at, last;

	if (!e->blocks || !e->distance || e->flags & ~LAKEFS_SHIFT_UP ||
	    (!up && e->distance > e->file_block))
		return "shift: nonsense";
	if (up ? !hole(n, end > e->file_block + e->distance ? end :
			  e->file_block + e->distance, end + e->distance) :
		 !hole(n, e->file_block - e->distance,
		       end - e->distance < e->file_block ? end - e->distance :
							   e->file_block))
		return "shift: onto mapped blocks";
	at = split(n, e->file_block);
	last = split(n, end);
	for (; at < last; at++) {
		n->extents[at].file += up ? e->distance : -e->distance;
		mapped += n->extents[at].blocks;
	}
	if (mapped > LAKEFS_CLONE_BLOCKS_MAX)
		return "shift: too much at once";
	if (e->size)
		n->rec.size = e->size;
	n->rec.mtime = e->mtime;
	n->rec.ctime = e->ctime;
	n->rec.last_seq = e->hdr.seq;
	return NULL;
}

bool extents_any_shared(struct node *n, u64 first, u64 end)
{
	for (size_t i = place(n, first); i < n->extent_count; i++) {
		struct extent *x = n->extents + i;
		u64 at = x->file > first ? x->file : first;

		for (; at < end && at < x->file + x->blocks; at++)
			if (is_packed(x) ||
			    space_shared(x->phys + (at - x->file)))
				return true;
		if (at >= end)
			break;
	}
	return false;
}

bool extents_any_sealed(struct node *n, u64 first, u64 end)
{
	for (size_t i = place(n, first); i < n->extent_count; i++) {
		if (n->extents[i].file >= end)
			break;
		if (n->extents[i].flags & LAKEFS_EXTENT_SEALED)
			return true;
	}
	return false;
}

const char *extents_seal(struct node *n, const struct lakefs_i_seal *e)
{
	const u32 both = LAKEFS_EXTENT_SEALED | LAKEFS_EXTENT_CHECKED;
	size_t at, last;

	if (!e->blocks || e->blocks > LAKEFS_SEAL_BLOCKS_MAX)
		return "seal: nonsense";
	at = split(n, e->file_block);
	last = split(n, e->file_block + e->blocks);
	for (; at < last; at++) {
		u32 *flags = &n->extents[at].flags;

		if (*flags & LAKEFS_EXTENT_UNWRITTEN)
			continue;
		if (e->hdr.op == LAKEFS_I_SEAL)
			*flags |= LAKEFS_EXTENT_SEALED;
		else if (e->hdr.op == LAKEFS_I_UNSEAL)
			*flags &= *flags & LAKEFS_EXTENT_SKEW_MASK ||
				  is_packed(&n->extents[at]) ? ~0u : ~both;
		else if (*flags & LAKEFS_EXTENT_SEALED)
			*flags |= LAKEFS_EXTENT_CHECKED;
		else
			return "checked: not sealed";
	}
	n->rec.last_seq = e->hdr.seq;
	return NULL;
}

static bool no_holes(struct node *n, u64 first, u64 end)
{
	for (size_t i = place(n, first); first < end; i++) {
		struct extent *x = n->extents + i;

		if (i == n->extent_count || x->file > first ||
		    x->flags & LAKEFS_EXTENT_UNWRITTEN)
			return false;
		first = x->file + x->blocks;
	}
	return true;
}

/* The same bytes elsewhere: in free blocks, which nobody but us has taken. */
const char *extents_remap(struct node *n, const struct lakefs_i_remap *e)
{
	const u32 marks = LAKEFS_EXTENT_SEALED | LAKEFS_EXTENT_CHECKED;
	struct extent x = { e->file_block, e->phys_block, e->blocks, e->flags };
	u64 end = e->file_block + e->blocks;
	const char *wrong;

	if (!e->blocks || e->blocks > LAKEFS_REMAP_BLOCKS_MAX ||
	    e->hdr.len != sizeof(*e) || !S_ISREG(n->rec.mode))
		return "remap: nonsense";
	if (is_packed(&x) ? (e->flags & ~(LAKEFS_EXTENT_SPAN_MASK |
					  LAKEFS_EXTENT_PACKED)) != marks :
			    e->flags != marks)
		return "remap: flags";
	if (is_packed(&x) && x.phys % LAKEFS_PACK_BLOCKS + x.blocks >
			     LAKEFS_PACK_BLOCKS)
		return "remap: beyond the pack";
	if (!all_checked(n, x.file, end) || !no_holes(n, x.file, end))
		return "remap: of what is not checked";
	wrong = is_packed(&x) ? space_use_pack(extent_base(&x),
					       extent_spans(&x)) :
				space_use(x.phys, x.blocks);
	if (wrong)
		return wrong;
	cut(n, x.file, end, e->hdr.seq, true);
	insert(n, place(n, x.file), x);
	n->rec.blocks += x.blocks;
	n->rec.last_seq = e->hdr.seq;
	return NULL;
}
