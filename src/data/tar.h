/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar.h - tar archives as spans of memory, and writing them
 *
 * Reads ustar, the older form without its magic, GNU long names and pax
 * headers (path, linkpath, size). Contents are spans of the archive; nothing
 * is extracted. Names that would leave the folder they are unpacked into are
 * refused. Sparse files are refused: their bytes are not in one piece.
 *
 * Source: POSIX.1-2017 pax, "ustar Interchange Format", "pax Header Block";
 * GNU tar manual, "Basic Tar Format"
 */
#ifndef TN_SRC_DATA_TAR_H
#define TN_SRC_DATA_TAR_H

#include "base/alloc.h"
#include "data/sink.h"

typedef enum tni_tar_kind {
    TNI_TAR_FILE,
    TNI_TAR_FOLDER,
    TNI_TAR_LINK,  /* symbolic or hard: `target` says where, never followed */
    TNI_TAR_DEVICE /* devices and pipes: nothing to read */
} tni_tar_kind;

typedef struct tni_tar_entry {
    tni_tar_kind kind;
    const char *name;   /* terminated, relative, without "./" in front */
    const char *target; /* of a link; NULL otherwise */
    const uint8_t *bytes;
    size_t size;
    uint64_t offset; /* of the header, for messages */
} tni_tar_entry;

typedef struct tni_tar {
    const uint8_t *bytes;
    size_t size, at;
    tni_arena *arena; /* of names; may be reset between calls of next */
    tn_err *err;
    bool cut; /* the archive ended without its two empty blocks */
} tni_tar;

enum { TNI_TAR_MAX_NAME = 4096 };

void tni_tar_init(tni_tar *t, const void *bytes, size_t size, tni_arena *arena,
                  tn_err *err);

/*
 * The next entry; *more false at the end. TN_EFORMAT for a wrong checksum, a
 * file that ends inside an entry, a name that is absolute, has a ".." part, a
 * NUL byte or a backslash, or is longer than TNI_TAR_MAX_NAME;
 * TN_EUNSUPPORTED for sparse files and volumes.
 */
tn_status tni_tar_next(tni_tar *t, tni_tar_entry *entry, bool *more);

/* Whether a relative path stays where it is unpacked; NULL, or what is wrong
 * ("an absolute path"). */
const char *tni_tar_unsafe(const char *name, size_t len);

/*
 * Writes a file entry: mode 0644, owner 0, time 0, so that the same files give
 * the same archive. Names that ustar cannot hold get a pax header.
 */
tn_status tni_tar_put(const tni_byte_sink *sink, const char *name,
                      const void *bytes, size_t size, tn_err *err);
/* The two empty blocks at the end. */
tn_status tni_tar_end(const tni_byte_sink *sink, tn_err *err);

#endif
