// SPDX-License-Identifier: GPL-2.0
/*
 * Mapped files: faults.
 *
 * A write fault makes its whole folio dirty. All its blocks are got ready
 * twice: first without the folio lock, where waiting for leases is allowed;
 * then under it, with the folio's writeback over, where nothing may be left
 * to wait for. The second is what counts: a block whose data was on its way
 * is written by then, its record with the checksum emitted, and so the
 * OVERWRITE that takes the checksum back (overwrite.c) follows it.
 */
#include <linux/pagemap.h>
#include "data.h"

/*
 * The bytes behind the end of the file in its last page read as zeroes; on
 * the device they may be anything (size.c).
 */
static void lakefs_zero_tail(struct inode *inode, struct folio *folio)
{
	loff_t size = i_size_read(inode);
	pgoff_t last = size >> PAGE_SHIFT;
	size_t at;

	if (!lakefs_in_block(size) || folio->mapping != inode->i_mapping ||
	    last < folio->index || last >= folio_next_index(folio))
		return;
	at = offset_in_folio(folio, size);
	folio_zero_segment(folio, at, round_up(at, PAGE_SIZE));
}

static vm_fault_t lakefs_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	loff_t pos = (loff_t)vmf->pgoff << PAGE_SHIFT;
	vm_fault_t ret;
	int err, tries;

	err = lakefs_extents_load(inode);
	if (err)
		return vmf_error(err);
	ret = filemap_fault(vmf);
	for (tries = LAKEFS_READ_TRIES; ret == VM_FAULT_SIGBUS && tries &&
	     lakefs_read_again(inode, pos); tries--)
		ret = filemap_fault(vmf);
	if (ret & VM_FAULT_LOCKED)
		lakefs_zero_tail(inode, page_folio(vmf->page));
	return ret;
}

/* Maps what is cached, but for the last page: that is lakefs_fault's. */
static vm_fault_t lakefs_map_pages(struct vm_fault *vmf, pgoff_t start,
				   pgoff_t end)
{
	loff_t size = i_size_read(file_inode(vmf->vma->vm_file));
	pgoff_t last = size >> PAGE_SHIFT;

	if (lakefs_in_block(size) && end >= last) {
		if (start >= last)
			return 0;
		end = last - 1;
	}
	return filemap_map_pages(vmf, start, end);
}

/* The blocks of the file in a folio: [*start, *end), none behind its end. */
static void lakefs_folio_blocks(struct inode *inode, struct folio *folio,
				u64 *start, u64 *end)
{
	*start = folio->index;
	*end = min_t(u64, folio_next_index(folio),
		     lakefs_blocks_for(i_size_read(inode)));
}

/* One of these at a time: no truncate, no punch, but other faults. */
static int lakefs_reserve_folio(struct inode *inode, struct folio *folio,
				int mode)
{
	u64 block, end, blocks;
	int err;

	lakefs_folio_blocks(inode, folio, &block, &end);
	for (; block < end; block += blocks) {
		blocks = end - block;
		err = lakefs_reserve_cached(inode, block, &blocks, mode);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Returns 0 with the folio locked and dirty; -EAGAIN when something has to be
 * waited for after all; -EFAULT when the page is none of the file any more.
 */
static int lakefs_dirty_locked(struct inode *inode, struct folio *folio)
{
	int err = 0;

	folio_lock(folio);
	if (folio->mapping != inode->i_mapping ||
	    folio_mkwrite_check_truncate(folio, inode) < 0)
		err = -EFAULT;
	if (!err) {
		folio_wait_writeback(folio);
		err = lakefs_reserve_folio(inode, folio,
					   LAKEFS_RESERVE_NOWAIT);
	}
	if (err) {
		folio_unlock(folio);
		return err;
	}
	lakefs_take_over(inode, folio->index, folio_next_index(folio));
	folio_mark_dirty(folio);
	return 0;
}

static vm_fault_t lakefs_make_writable(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	/* the fault has a reference: it stays whole */
	struct folio *folio = page_folio(vmf->page);
	u64 start, end;
	int err;

	err = lakefs_extents_load(inode);
	if (err)
		return vmf_error(err);
	/* no truncate, no punch between the reservation and the dirty page */
	filemap_invalidate_lock_shared(inode->i_mapping);
	if (IS_IMMUTABLE(inode)) {	/* made so since it was mapped */
		filemap_invalidate_unlock_shared(inode->i_mapping);
		return VM_FAULT_SIGBUS;
	}
	start = folio->index;
	end = folio_next_index(folio);	/* the file may grow meanwhile */
	do {
		err = lakefs_reserve_folio(inode, folio, 0);
		if (!err)
			err = lakefs_dirty_locked(inode, folio);
	} while (err == -EAGAIN);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	if (!err)
		return VM_FAULT_LOCKED;
	lakefs_unreserve_fault(inode, start, end);
	return err == -EFAULT ? VM_FAULT_NOPAGE : vmf_error(err);
}

static vm_fault_t lakefs_page_mkwrite(struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;
	struct super_block *sb = file_inode(file)->i_sb;
	vm_fault_t ret;
	int err;

	/* before its times change; what counts is the look under the lock */
	if (IS_IMMUTABLE(file_inode(file)))
		return VM_FAULT_SIGBUS;
	err = lakefs_op_begin(LAKEFS_SB(sb));
	if (err)
		return vmf_error(err);
	sb_start_pagefault(sb);
	err = file_update_time(file);
	ret = err ? vmf_error(err) : lakefs_make_writable(vmf);
	sb_end_pagefault(sb);
	return ret;
}

static const struct vm_operations_struct lakefs_vm_ops = {
	.fault		= lakefs_fault,
	.map_pages	= lakefs_map_pages,
	.page_mkwrite	= lakefs_page_mkwrite,
};

int lakefs_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (lakefs_is_shutdown(LAKEFS_SB(file_inode(file)->i_sb)))
		return -EIO;
	file_accessed(file);
	vma->vm_ops = &lakefs_vm_ops;
	return 0;
}
