// SPDX-License-Identifier: GPL-2.0
#include <linux/bvec.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pipe_fs_i.h>
#include <linux/pseudo_fs.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "file.h"
#include "seek.h"
#include "snapshot.h"
#include "stream.h"

#define KCS_FS_MAGIC 0x6b637361	/* "kcsa" */

static struct kcs_snapshot *snapshot_of(struct inode *inode)
{
	return inode->i_private;
}

static ssize_t snap_read_iter(struct kiocb *kiocb, struct iov_iter *iter)
{
	ssize_t done = kcs_stream_read(snapshot_of(file_inode(kiocb->ki_filp)),
				       kiocb->ki_pos, iter, false);

	if (done > 0)
		kiocb->ki_pos += done;
	return done;
}

#define SPLICE_PAGES 16U	/* what a pipe holds by default */

static unsigned int alloc_pages_for(size_t len, struct page **page, struct bio_vec *vec)
{
	unsigned int i, want = min_t(size_t, DIV_ROUND_UP(len, PAGE_SIZE), SPLICE_PAGES);

	for (i = 0; i < want; i++) {
		page[i] = alloc_page(GFP_KERNEL);
		if (!page[i])
			break;
		vec[i] = (struct bio_vec) { .bv_page = page[i], .bv_len = PAGE_SIZE };
	}
	return i;
}

/* Return: bytes that went into the pipe. */
static ssize_t fill_pipe(struct pipe_inode_info *pipe, struct page **page,
			 unsigned int nr, ssize_t len)
{
	ssize_t done = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		size_t part = min_t(ssize_t, len - done, PAGE_SIZE);
		struct pipe_buffer buf = {
			.ops = &nosteal_pipe_buf_ops,
			.page = page[i],
			.len = part,
		};
		ssize_t added;

		if (!part) {
			__free_page(page[i]);
			continue;
		}
		/* Frees the page where it fails. */
		added = add_to_pipe(pipe, &buf);
		if (added < 0)
			len = done;
		else
			done += added;
	}
	return done;
}

/*
 * The pipe is locked, and whoever waits for its lock can't be killed. So what
 * has to be waited for must be read by other means, unless it is the caller's
 * own pipe, that of sendfile(2).
 */
static ssize_t snap_splice_read(struct file *in, loff_t *pos,
				struct pipe_inode_info *pipe, size_t len,
				unsigned int flags)
{
	bool nowait = pipe != current->splice_pipe;
	struct page *page[SPLICE_PAGES];
	struct bio_vec vec[SPLICE_PAGES];
	struct iov_iter iter;
	unsigned int nr, used = pipe_occupancy(pipe->head, pipe->tail);
	ssize_t done;

	if (used >= pipe->max_usage)
		return -EAGAIN;
	len = min_t(size_t, len, (size_t)(pipe->max_usage - used) << PAGE_SHIFT);
	nr = alloc_pages_for(len, page, vec);
	if (!nr)
		return -ENOMEM;
	len = min_t(size_t, len, (size_t)nr << PAGE_SHIFT);
	iov_iter_bvec(&iter, ITER_DEST, vec, nr, len);
	done = kcs_stream_read(snapshot_of(file_inode(in)), *pos, &iter, nowait);
	done = fill_pipe(pipe, page, nr, max_t(ssize_t, done, 0)) ?:
	       min_t(ssize_t, done, 0);
	if (done > 0)
		*pos += done;
	return done == -EAGAIN ? -EINVAL : done;
}

static loff_t snap_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		offset = kcs_seek(snapshot_of(inode), offset, whence == SEEK_DATA);
		if (offset < 0)
			return offset;
		whence = SEEK_SET;
	}
	return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE,
					i_size_read(inode));
}

static const struct file_operations snap_fops = {
	.owner = THIS_MODULE,
	.llseek = snap_llseek,
	.read_iter = snap_read_iter,
	.splice_read = snap_splice_read,
};

static void snap_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (inode->i_private)
		kcs_snapshot_destroy(inode->i_private);
}

static const struct super_operations snap_super_ops = {
	.statfs = simple_statfs,
	.drop_inode = inode_just_drop,
	.evict_inode = snap_evict_inode,
};

static int snap_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, KCS_FS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &snap_super_ops;
	return 0;
}

static struct file_system_type snap_fs_type = {
	.owner = THIS_MODULE,
	.name = "kcoresnap",
	.init_fs_context = snap_init_fs_context,
	.kill_sb = kill_anon_super,
};

static struct inode *snap_inode(struct super_block *sb, struct kcs_snapshot *snap)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = snap->id;
	inode->i_mode = S_IFREG | 0400;
	/* Not to be truncated, nor given to somebody else. */
	inode->i_flags |= S_IMMUTABLE;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode->i_fop = &snap_fops;
	inode->i_private = snap;
	i_size_write(inode, snap->layout.size);
	return inode;
}

struct file *kcs_file_create(struct kcs_snapshot *snap)
{
	struct vfsmount *mnt;
	struct inode *inode;
	struct file *file;
	char name[24];

	mnt = vfs_kern_mount(&snap_fs_type, SB_KERNMOUNT, "kcoresnap", NULL);
	if (IS_ERR(mnt)) {
		kcs_snapshot_destroy(snap);
		return ERR_CAST(mnt);
	}
	inode = snap_inode(mnt->mnt_sb, snap);
	if (!inode) {
		kcs_snapshot_destroy(snap);
		file = ERR_PTR(-ENOMEM);
		goto put_mnt;
	}
	snprintf(name, sizeof(name), "core.%u", snap->id);
	file = alloc_file_pseudo(inode, mnt, name, O_RDONLY, &snap_fops);
	if (IS_ERR(file)) {
		iput(inode);
		goto put_mnt;
	}
	/* fput() drops it; open(2) would have taken it. */
	__module_get(snap_fops.owner);
	/* v5.10 does not derive them from the operations. */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD;
put_mnt:
	/* The file holds the mount from here on. */
	mntput(mnt);
	return file;
}
