/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdwconv.h - depthwise convolution of 8-bit integers, channels last
 *
 * y[p, c] = clamp(round(scale[c] * (sum_t (w[c, t] - zw) (x[p at t, c] - zx)
 *                                   + bias[c]))) + zero
 *
 * Shapes:  x[n, h, w, c], w[c, kh, kw] -> y[n, oh, ow, c]
 * Layout:  channels last. Vectors run along the channels; two taps of a column
 *          are widened to 16 bits, interleaved and multiplied by pairs of
 *          weights.
 * Method:  every place of the rows under the window is a pointer, in the padding
 *          to a row of zero points, so that nothing is copied. A column is
 *          widened once for the neighbouring pixels it is a tap of.
 * Numeric: exact sums that wrap around in 32 bits, then single IEEE operations
 *          as in qconv.h: the same bits on every row
 * Aliases: y does not overlap x
 * Reads:   no more than the tensors given
 * Threads: any; scratch is exclusive to the call
 */
#ifndef TN_SRC_KERNELS_QDWCONV_QDWCONV_H
#define TN_SRC_KERNELS_QDWCONV_QDWCONV_H

#include "kernels/qconv/qconv.h"

/*
 * Channels come in blocks, the last padded. Within each eight of a block the
 * first four belong to its first half: that is how vectors of words interleave.
 * Per block: w[column][pair of rows][half][lane][2], bias and scale
 * [half][lane]; the partner of an odd last row has weights of zero.
 */
typedef struct tni_qdwconv_tile {
    /* Row i of the window over pixel p has its column j at
     * at[(p * stride + j * dilation) * rows + i]. */
    const uint8_t *const *at;
    size_t rows, columns; /* of the window */
    size_t stride, dilation;
    size_t pixels, channels;
    bool x_signed;
    const int16_t *w;
    const int32_t *bias;
    const float *scale;
    float lo, hi;
    int32_t zero;
    uint8_t *y; /* pixel p at y + p * channels */
} tni_qdwconv_tile;

typedef void (*tni_qdwconv_tile_fn)(const tni_qdwconv_tile *t);

typedef struct tni_qdwconv_kernels {
    uint32_t isa;
    const char *name;
    size_t block; /* channels */
    tni_qdwconv_tile_fn tile;
} tni_qdwconv_kernels;

#define TN_QDWCONV_KERNEL(isa, name, channels)                                 \
    void tni_qdwconv_tile__##name(const tni_qdwconv_tile *t);
#include "kernels/qdwconv/qdwconv.def"
#undef TN_QDWCONV_KERNEL

void tni_qdwconv_init(tni_qdwconv_kernels *k, uint32_t isa);
/* Table access for kcheck: row i, or false past the end. */
bool tni_qdwconv_table(tni_qdwconv_kernels *row, int i);

typedef struct tni_qdwconv_plan {
    tni_qconv_shape s; /* ic and oc are 1 */
    tni_qdwconv_kernels row;
    bool x_signed;
    size_t taps, pairs;
    size_t across; /* columns of the image and its padding that are used */
    size_t len;    /* of arrays per channel: whole blocks */
    size_t packed_bytes;
    size_t worker_bytes;
} tni_qdwconv_plan;

/* False when the convolution is no depthwise one or a size overflows. */
bool tni_qdwconv_plan_init(tni_qdwconv_plan *p, const tni_qdwconv_kernels *row,
                           const tni_qconv_shape *s, bool x_signed);
/* Packs the weights, and their sums in the order of channels. */
void tni_qdwconv_pack(const tni_qdwconv_plan *p, int16_t *packed, int32_t *sums,
                      const tni_qconv_weights *w);
/* Where channel c lies in arrays of plan.len values. */
size_t tni_qdwconv_at(const tni_qdwconv_plan *p, size_t c);

/* end: bytes; bias and scale have plan.len values, the bias less zero times
 * the sum of the weights. */
void tni_qdwconv_run(const tni_qdwconv_plan *p, const uint8_t *x, int zero,
                     const int16_t *packed, const tni_qconv_end *end,
                     uint8_t *y, char *scratch, const tni_par *par);

#endif
