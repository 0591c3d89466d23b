/* SPDX-License-Identifier: Apache-2.0 */
/* npy.h - NumPy's .npy and .npz formats */
#ifndef TN_SRC_TENSORIO_NPY_H
#define TN_SRC_TENSORIO_NPY_H

#include "tensor/tensor.h"

/*
 * Decodes the bytes of a .npy file; everything is copied to the arena.
 * Source: numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
tn_status tni_npy_decode(const uint8_t *bytes, size_t size,
                         const tn_limits *limits, tni_arena *arena,
                         tni_tensor *out, tn_err *err);

static inline bool tni_is_npy(const uint8_t *p, size_t n)
{
    return n >= 6 && p[0] == 0x93 && p[1] == 'N' && p[2] == 'U' &&
           p[3] == 'M' && p[4] == 'P' && p[5] == 'Y';
}

/* A zip archive, possibly without members. */
static inline bool tni_is_zip(const uint8_t *p, size_t n)
{
    return n >= 4 && p[0] == 'P' && p[1] == 'K' &&
           ((p[2] == 3 && p[3] == 4) || (p[2] == 5 && p[3] == 6));
}

/*
 * Calls `each` for every member of a zip archive, in the order of its
 * directory, with its name and its uncompressed bytes, which live for the
 * call. `want` (NULL: all) passes over members by name before they are read.
 */
typedef struct tni_zip_reader {
    void *ctx;
    bool (*want)(void *ctx, const char *name, size_t len);
    tn_status (*each)(void *ctx, const char *name, size_t len,
                      const uint8_t *bytes, size_t size);
    tni_mem *mem; /* for decompressed bytes */
    const tn_limits *limits;
    tn_err *err;
} tni_zip_reader;

tn_status tni_zip_read(const tni_zip_reader *r, const uint8_t *bytes,
                       size_t size);

#endif
