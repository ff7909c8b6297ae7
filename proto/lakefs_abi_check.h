/* SPDX-License-Identifier: GPL-2.0 OR MPL-2.0 */
/*
 * Compile-time checks of the formats. Included once by every C program that
 * uses them; the C# mirrors are compared by tests/layout.
 */
#ifndef LAKEFS_ABI_CHECK_H
#define LAKEFS_ABI_CHECK_H

#include "lakefs_ring.h"

#define LAKEFS_CHECK_SIZE(name, bytes) \
	_Static_assert(sizeof(struct name) == (bytes), #name " size")
#define LAKEFS_CHECK_OFFSET(name, field, at) \
	_Static_assert(__builtin_offsetof(struct name, field) == (at), \
		       #name "." #field " offset")

LAKEFS_CHECK_SIZE(lakefs_region, 16);
LAKEFS_CHECK_SIZE(lakefs_sb, 4096);
LAKEFS_CHECK_SIZE(lakefs_wal_frame, 64);
LAKEFS_CHECK_SIZE(lakefs_wal_sector, 512);
LAKEFS_CHECK_SIZE(lakefs_key, 24);
LAKEFS_CHECK_SIZE(lakefs_time, 16);
LAKEFS_CHECK_SIZE(lakefs_inode, 152);
LAKEFS_CHECK_SIZE(lakefs_dirent, 16);
LAKEFS_CHECK_SIZE(lakefs_extent_item, 24);
LAKEFS_CHECK_SIZE(lakefs_shared_item, 8);
LAKEFS_CHECK_SIZE(lakefs_xattr_item, 8);
LAKEFS_CHECK_SIZE(lakefs_object_item, 56);
LAKEFS_CHECK_SIZE(lakefs_pack, 16);
LAKEFS_CHECK_SIZE(lakefs_scrub_item, 96);
LAKEFS_CHECK_SIZE(lakefs_scrub_finding, 48);
LAKEFS_CHECK_SIZE(lakefs_page, 32);
LAKEFS_CHECK_SIZE(lakefs_slot, 24);
LAKEFS_CHECK_SIZE(lakefs_meta_page, 48);
LAKEFS_CHECK_SIZE(lakefs_engine_state, 184);
LAKEFS_CHECK_SIZE(lakefs_archive_header, 4096);
LAKEFS_CHECK_SIZE(lakefs_archive_item, 16);
LAKEFS_CHECK_SIZE(lakefs_anchor, 24);
LAKEFS_CHECK_SIZE(lakefs_anchor_page, 4096);
LAKEFS_CHECK_SIZE(lakefs_kpage, 384);
LAKEFS_CHECK_SIZE(lakefs_dpage, 320);
LAKEFS_CHECK_SIZE(lakefs_intent_hdr, 16);
LAKEFS_CHECK_SIZE(lakefs_xattr_rec, 8);
LAKEFS_CHECK_SIZE(lakefs_i_create, 80);
LAKEFS_CHECK_SIZE(lakefs_i_link, 56);
LAKEFS_CHECK_SIZE(lakefs_i_unlink, 56);
LAKEFS_CHECK_SIZE(lakefs_i_rename, 96);
LAKEFS_CHECK_SIZE(lakefs_i_setattr, 104);
LAKEFS_CHECK_SIZE(lakefs_i_xattr, 56);
LAKEFS_CHECK_SIZE(lakefs_i_map, 88);
LAKEFS_CHECK_SIZE(lakefs_i_unmap, 72);
LAKEFS_CHECK_SIZE(lakefs_i_overwrite, 32);
LAKEFS_CHECK_SIZE(lakefs_i_release, 24);
LAKEFS_CHECK_SIZE(lakefs_i_clone, 96);
LAKEFS_CHECK_SIZE(lakefs_i_shift, 96);
LAKEFS_CHECK_SIZE(lakefs_i_seal, 40);
LAKEFS_CHECK_SIZE(lakefs_i_share, 56);
LAKEFS_CHECK_SIZE(lakefs_i_remap, 48);
LAKEFS_CHECK_SIZE(lakefs_wal_epoch, 48);
LAKEFS_CHECK_SIZE(lakefs_wal_object, 80);
LAKEFS_CHECK_SIZE(lakefs_archive_entry, 24);
LAKEFS_CHECK_SIZE(lakefs_wal_archive, 64);
LAKEFS_CHECK_SIZE(lakefs_wal_scrub, 112);
LAKEFS_CHECK_SIZE(lakefs_request_hdr, 24);
LAKEFS_CHECK_SIZE(lakefs_r_mount, 48);
LAKEFS_CHECK_SIZE(lakefs_r_ino, 32);
LAKEFS_CHECK_SIZE(lakefs_r_name, 40);
LAKEFS_CHECK_SIZE(lakefs_r_readdir, 48);
LAKEFS_CHECK_SIZE(lakefs_r_extents, 48);
LAKEFS_CHECK_SIZE(lakefs_r_inodes, 32);
LAKEFS_CHECK_SIZE(lakefs_r_lease, 40);
LAKEFS_CHECK_SIZE(lakefs_r_return, 32);
LAKEFS_CHECK_SIZE(lakefs_r_trim, 56);
LAKEFS_CHECK_SIZE(lakefs_reply_hdr, 24);
LAKEFS_CHECK_SIZE(lakefs_p_mount, 184);
LAKEFS_CHECK_SIZE(lakefs_p_dirent, 24);
LAKEFS_CHECK_SIZE(lakefs_p_extent, 24);
LAKEFS_CHECK_SIZE(lakefs_p_inode, 160);
LAKEFS_CHECK_SIZE(lakefs_range, 16);
LAKEFS_CHECK_SIZE(lakefs_p_statfs, 32);
LAKEFS_CHECK_SIZE(lakefs_wanted, 32);
LAKEFS_CHECK_SIZE(lakefs_attach, 64);
LAKEFS_CHECK_SIZE(lakefs_declared, 24);
LAKEFS_CHECK_SIZE(lakefs_declare, 32);
LAKEFS_CHECK_SIZE(lakefs_ready, 16);
LAKEFS_CHECK_SIZE(lakefs_commit, 32);
LAKEFS_CHECK_SIZE(lakefs_fail, 128);
LAKEFS_CHECK_SIZE(lakefs_seal, 48);
LAKEFS_CHECK_SIZE(lakefs_share, 72);
LAKEFS_CHECK_SIZE(lakefs_remap, 56);

LAKEFS_CHECK_OFFSET(lakefs_kpage, intent_head, 64);
LAKEFS_CHECK_OFFSET(lakefs_kpage, request_head, 128);
LAKEFS_CHECK_OFFSET(lakefs_kpage, wanted_seq, 192);
LAKEFS_CHECK_OFFSET(lakefs_kpage, reply_tail, 256);
LAKEFS_CHECK_OFFSET(lakefs_kpage, sent_seq, 320);
LAKEFS_CHECK_OFFSET(lakefs_dpage, request_tail, 64);
LAKEFS_CHECK_OFFSET(lakefs_dpage, reply_head, 128);
LAKEFS_CHECK_OFFSET(lakefs_dpage, applied_seq, 192);
LAKEFS_CHECK_OFFSET(lakefs_dpage, sleeping, 256);

_Static_assert(LAKEFS_RO_BYTES == LAKEFS_RING_PAGE + LAKEFS_INTENT_RING_BYTES +
	       LAKEFS_REQUEST_RING_BYTES, "read-only area");
_Static_assert(LAKEFS_RW_BYTES == LAKEFS_RING_PAGE + LAKEFS_REPLY_RING_BYTES,
	       "read-write area");

#endif /* LAKEFS_ABI_CHECK_H */
