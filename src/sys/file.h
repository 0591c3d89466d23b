/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - reading files by mapping them, writing them whole or not at all */
#ifndef TN_SRC_SYS_FILE_H
#define TN_SRC_SYS_FILE_H

#include "base/err.h"

#include <stdbool.h>

/* A read-only, private mapping of a regular file. Zeroed: nothing mapped.
 * Limit: the file must not shrink while it is mapped. */
typedef struct tni_file_map {
    const uint8_t *bytes; /* NULL when size is 0 */
    size_t size;
    void *handle; /* of the mapping; private to sys */
} tni_file_map;

/*
 * TN_ENOTFOUND, TN_EIO (a directory, no permission: the message says which),
 * TN_ELIMIT when larger than max_bytes (0: none). err->where is the path.
 */
tn_status tni_file_map_open(tni_file_map *map, const char *path,
                            uint64_t max_bytes, tn_err *err);

/*
 * Opens `location`, a relative path with forward slashes, inside the folder
 * of the file `owner` (as named, or as it is after its links are followed).
 * TN_EFORMAT when it is empty, absolute, has a ".." part, or leads outside
 * both folders through a symbolic link.
 */
tn_status tni_file_map_open_beside(tni_file_map *map, const char *owner,
                                   const char *location, uint64_t max_bytes,
                                   tn_err *err);
/* The same for a folder. */
tn_status tni_file_map_open_in(tni_file_map *map, const char *folder,
                               const char *location, uint64_t max_bytes,
                               tn_err *err);

/*
 * Puts a copy in the place of the mapping, held in memory that no file is
 * behind: from then on the file may change and shrink. TN_EIO when it shrank
 * meanwhile, TN_ENOMEM; the mapping stays then.
 */
tn_status tni_file_map_detach(tni_file_map *map, tn_err *err);

void tni_file_map_close(tni_file_map *map);

/*
 * Reads a small file, which takes less time than mapping it. *size is its size;
 * when that is over `cap` nothing is read. TN_ENOTFOUND: there is nothing of
 * the name, or it is no regular file.
 */
tn_status tni_file_read(void *buf, size_t cap, uint64_t *size, const char *path,
                        tn_err *err);

/* Tells the system that the bytes will not be read for a while: they stop
 * counting as resident memory and come back from the file when touched. */
void tni_file_map_drop(const tni_file_map *map);
/* The same for the whole pages in [bytes, bytes + size); nothing when that is
 * not inside the mapping. */
void tni_file_map_drop_part(const tni_file_map *map, const void *bytes,
                            size_t size);

/* A file that appears under its name only when commit succeeds. */
typedef struct tni_file_out tni_file_out;
tn_status tni_file_out_open(tni_file_out **out, const char *path, tn_err *err);
/* One of many files in a folder that itself appears only when it is whole:
 * under its name at once, which must be new. */
tn_status tni_file_out_open_new(tni_file_out **out, const char *path,
                                tn_err *err);
tn_status tni_file_out_write(tni_file_out *f, const void *bytes, size_t size,
                             tn_err *err);
/* Flushes, renames over `path`, frees. */
tn_status tni_file_out_commit(tni_file_out *f, tn_err *err);
/* Removes the temporary, frees; NULL allowed. */
void tni_file_out_abort(tni_file_out *f);

#endif
