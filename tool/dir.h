/* SPDX-License-Identifier: GPL-2.0 */
/* Finding a directory without being led astray by whoever else may write there. */
#ifndef KCS_DIR_H
#define KCS_DIR_H

/**
 * kcs_dir_open() - open the directory that a path leads to
 * @path: the path of a file, which need not exist
 * @name: set to the part of @path behind its last slash
 *
 * A symbolic link on the way is followed only if it belongs to the caller or to
 * root: whoever owns a directory of the path can't redirect what is written.
 *
 * Return: an O_PATH descriptor, or -errno; -ELOOP for a link that is not followed.
 */
int kcs_dir_open(const char *path, const char **name);

#endif /* KCS_DIR_H */
