// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/stat.h>
#include <linux/uio.h>
#include <linux/xarray.h>

#include "mapped.h"

/* FUSE has a server, on a block device ("fuseblk") or not. */
bool kcs_is_on_disk(const struct inode *inode)
{
	const struct super_block *sb = inode->i_sb;

	return (sb->s_type->fs_flags & FS_REQUIRES_DEV) && sb->s_magic != FUSE_SUPER_MAGIC;
}

/* What a read takes out of a device or a pipe would be missing in the target. */
bool kcs_file_may_be_read(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return (S_ISREG(inode->i_mode) || S_ISBLK(inode->i_mode)) &&
	       inode->i_fop->read_iter;
}

bool kcs_file_is_shmem(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == TMPFS_MAGIC;
}

/*
 * From the page cache, which is what a mapping shows, up to the first page that
 * is not there. A hole of shmem has no page and needs none.
 */
static size_t read_cached(struct file *file, loff_t pos, struct iov_iter *iter)
{
	struct address_space *mapping = file->f_mapping;
	size_t done = 0, part, copied;

	/* In v6.6 and before counted in huge pages. */
	if (file_inode(file)->i_sb->s_magic == HUGETLBFS_MAGIC)
		return 0;
	do {
		size_t offset = (pos + done) & ~PAGE_MASK;
		pgoff_t index = (pos + done) >> PAGE_SHIFT;
		struct page *page = find_get_page(mapping, index);

		part = min_t(size_t, iov_iter_count(iter), PAGE_SIZE - offset);
		copied = 0;
		if (page && PageUptodate(page) && !PageHWPoison(page))
			copied = copy_to_iter(page_address(page) + offset, part,
					      iter);
		else if (!page && kcs_file_is_shmem(file) &&
			 !xa_load(&mapping->i_pages, index))
			copied = iov_iter_zero(part, iter);
		if (page)
			put_page(page);
		done += copied;
	} while (copied == part && iov_iter_count(iter));
	return done;
}

/*
 * Around vfs_read(): the file is the target's. Its position must not move,
 * nobody must be notified, and a System V segment has no ->read_iter but in
 * its inode's operations. That changes its time of access, though, so it is
 * only for what has to be brought in.
 */
ssize_t kcs_mapped_read(struct file *file, loff_t pos, struct iov_iter *iter)
{
	size_t cached = read_cached(file, pos, iter);
	struct kiocb kiocb;

	if (cached)
		return cached;
	init_sync_kiocb(&kiocb, file);
	kiocb.ki_flags = 0;	/* buffered, even where the target opened O_DIRECT */
	kiocb.ki_pos = pos;
	return file_inode(file)->i_fop->read_iter(&kiocb, iter);
}

size_t kcs_peek_file(struct file *file, void *buf, size_t len)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct iov_iter iter;
	ssize_t done;

	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, len);
	/* A disk answers; a server may be gone, or be the target itself. */
	done = kcs_is_on_disk(file_inode(file)) ? kcs_mapped_read(file, 0, &iter) :
						  read_cached(file, 0, &iter);
	return max_t(ssize_t, done, 0);
}
