/* SPDX-License-Identifier: Apache-2.0 */
/* dir.h - folders: what is in them, making, copying, removing */
#ifndef TN_SRC_SYS_DIR_H
#define TN_SRC_SYS_DIR_H

#include "base/alloc.h"
#include "base/err.h"

typedef struct tni_dir_entry {
    const char *name;
    bool is_dir; /* links followed */
} tni_dir_entry;

/*
 * The entries of a folder but "." and "..", in byte order whatever the file
 * system's, in the arena. TN_ELIMIT beyond 50 million.
 */
tn_status tni_dir_list(tni_dir_entry **out, size_t *n, const char *path,
                       tni_arena *arena, tn_err *err);

typedef struct tni_path_info {
    bool exists, is_dir, is_file;
    uint64_t size;
    uint64_t device, inode; /* which file it is, whatever its name */
    uint64_t modified_ns;   /* of the Unix epoch */
} tni_path_info;

/* Links are followed; a path that cannot be looked at does not exist. */
tni_path_info tni_path_look(const char *path);
/* The path without links, "." and ".."; TN_ENOTFOUND, or TN_EINVAL when it
 * does not fit. */
tn_status tni_path_real(char *out, size_t size, const char *path, tn_err *err);

/* Makes a folder and those above it that are missing. */
tn_status tni_dir_make(const char *path, tn_err *err);
/* Makes the folders above a file. */
tn_status tni_dir_make_for(const char *path, tn_err *err);
/* A new empty folder "<path>.<pid>-<n>.tmp" beside `path`; its name is written
 * to `out`. */
tn_status tni_dir_make_temporary(char *out, size_t size, const char *path,
                                 tn_err *err);
/* Removes a file or a folder with all below it; links are not followed. */
tn_status tni_path_remove(const char *path, tn_err *err);
tn_status tni_path_rename(const char *from, const char *to, tn_err *err);

/* Copies the bytes; `to` must not exist. */
tn_status tni_file_copy(const char *from, const char *to, tn_err *err);
/* Another name for the same file; copies where that cannot be had. */
tn_status tni_file_link(const char *from, const char *to, tn_err *err);

#endif
