/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between the kernels' iomaps: calls whose arguments changed.
 * Included by iomap.c; those of writeback are in writeback.c.
 *
 * How a write asks whether its mapping still holds: a hook in the mapping
 * itself (6.3 and up: folio_ops, before: page_ops), an argument of the calls
 * since 6.17.
 */
#ifndef LAKEFS_IOMAP_COMPAT_H
#define LAKEFS_IOMAP_COMPAT_H

#include <linux/iomap.h>
#include "compat.h"

static bool lakefs_iomap_valid(struct inode *inode, const struct iomap *iomap);

#if LAKEFS_KERNEL(6, 17)
static const struct iomap_write_ops lakefs_iomap_write_ops = {
	.iomap_valid	= lakefs_iomap_valid,
};

static inline void lakefs_check_valid(struct iomap *iomap)
{
}
#elif LAKEFS_KERNEL(6, 3)
static const struct iomap_folio_ops lakefs_folio_ops = {
	.iomap_valid	= lakefs_iomap_valid,
};

static inline void lakefs_check_valid(struct iomap *iomap)
{
	iomap->folio_ops = &lakefs_folio_ops;
}
#else
static const struct iomap_page_ops lakefs_folio_ops = {
	.iomap_valid	= lakefs_iomap_valid,
};

static inline void lakefs_check_valid(struct iomap *iomap)
{
	iomap->page_ops = &lakefs_folio_ops;
}
#endif

static inline int lakefs_iomap_read_folio(struct folio *folio,
					  const struct iomap_ops *ops)
{
#if LAKEFS_KERNEL(6, 19)
	iomap_bio_read_folio(folio, ops);
	return 0;
#else
	return iomap_read_folio(folio, ops);
#endif
}

static inline void lakefs_iomap_readahead(struct readahead_control *rac,
					  const struct iomap_ops *ops)
{
#if LAKEFS_KERNEL(6, 19)
	iomap_bio_readahead(rac, ops);
#else
	iomap_readahead(rac, ops);
#endif
}

static inline ssize_t lakefs_iomap_buffered_write(struct kiocb *iocb,
						  struct iov_iter *from,
						  const struct iomap_ops *ops)
{
#if LAKEFS_KERNEL(6, 17)
	return iomap_file_buffered_write(iocb, from, ops,
					 &lakefs_iomap_write_ops, NULL);
#elif LAKEFS_KERNEL(6, 12)
	return iomap_file_buffered_write(iocb, from, ops, NULL);
#else
	ssize_t ret = iomap_file_buffered_write(iocb, from, ops);

#if !LAKEFS_KERNEL(6, 5)
	if (ret > 0)
		iocb->ki_pos += ret;
#endif
	return ret;
#endif
}

static inline int lakefs_iomap_zero_range(struct inode *inode, loff_t pos,
					  loff_t len,
					  const struct iomap_ops *ops)
{
#if LAKEFS_KERNEL(6, 17)
	return iomap_zero_range(inode, pos, len, NULL, ops,
				&lakefs_iomap_write_ops, NULL);
#else
	return iomap_zero_range(inode, pos, len, NULL, ops);
#endif
}

static inline int lakefs_iomap_file_unshare(struct inode *inode, loff_t pos,
					    loff_t len,
					    const struct iomap_ops *ops)
{
#if LAKEFS_KERNEL(6, 17)
	return iomap_file_unshare(inode, pos, len, ops,
				  &lakefs_iomap_write_ops);
#else
	return iomap_file_unshare(inode, pos, len, ops);
#endif
}

/* before 6.6 there are no large folios with us, and no dirty blocks in them */
#if LAKEFS_KERNEL(6, 6)
#define lakefs_dirty_folio iomap_dirty_folio
#else
#define lakefs_dirty_folio filemap_dirty_folio
#endif

#endif /* LAKEFS_IOMAP_COMPAT_H */
