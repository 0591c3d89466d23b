/* SPDX-License-Identifier: Apache-2.0 */
/*
 * winograd.h - 3x3 convolutions by Winograd's minimal filtering, F(2,3), F(4,3)
 *
 * y[n, o, p] = act(sum_c w[o, c] * x[n, c] at p + bias[o] + add[n, o, p])
 *
 * A tile of m by m outputs (m = 2 or 4) depends on t by t inputs, t = m + 2.
 * With U = G w G^T of every pair of channels and V = B^T x B of every tile and
 * channel, the tile is A^T (sum_c U_c . V_c) A: t^2 multiply-adds per pair of
 * channels in place of 9 m^2, 2.25 and 4 times fewer. The sums over c are t^2
 * matrix products of tiles by output channels, for which the micro-kernels of
 * the gemm family serve.
 *
 * Kernels of one element are the case m = t = 1: nothing to transform, but the
 * pixels are turned once and not for every panel of pixels.
 *
 * Shapes:  x[n, ic, h, w], w[oc, ic, 3, 3], y[n, oc, oh, ow]; stride,
 *          dilation and group 1, any padding, any sizes. With w[oc, ic, 1, 1]
 *          any stride and no padding.
 * Layout:  dense, channels first. Transforms have one channel a lane: rows of
 *          pixels are turned into `patches` of [row][column][lane] and back.
 * Numeric: bounded. |err| <= 2^-24 (ic + 32) a X W for the sum over channels
 *          X W of the tile's largest |x| times the kernel's sum of |w|, with
 *          a = 4 for F(2,3) and 16 for F(4,3); kernels of one element give
 *          what tni_conv_run gives, but for the sign of zero. Every element is
 *          computed in one order, which its place in the image decides: the
 *          same bits for every SIMD row, any number of workers and any place
 *          in a batch.
 * Aliases: y overlaps neither x nor w; add may be y.
 * Reads:   no more than the tensors given.
 * Threads: any; scratch is exclusive to the call.
 * Source:  Lavin and Gray, "Fast algorithms for convolutional neural
 *          networks", 2015; points of evaluation: docs/decisions/0010.
 */
#ifndef TN_SRC_KERNELS_WINOGRAD_WINOGRAD_H
#define TN_SRC_KERNELS_WINOGRAD_WINOGRAD_H

#include "kernels/conv/conv.h"

/* patch[i * lanes + c] = x[c * x_cs + i] for i < n and c < channels; 0 for
 * the other lanes. */
typedef void (*tni_winograd_load_fn)(float *patch, const float *x, size_t x_cs,
                                     size_t channels, size_t n);

/* y[c * cs + i] = clip(patch[i * lanes + c] + add[c * cs + i]); add may be
 * NULL or y, clip is optional. */
typedef struct tni_winograd_row {
    const float *patch;
    float *y;
    const float *add;
    size_t cs, channels, n;
    bool clip;
    float lo, hi;
} tni_winograd_row;

typedef void (*tni_winograd_store_fn)(const tni_winograd_row *r);

/* A row of n tiles, `lanes` channels of each. Tile i begins i * col_step floats
 * into the patch; its term e (of t^2) is at terms + e * term_step + i *
 * tile_step.
 * Input transforms read the patch, output transforms write it. */
typedef struct tni_winograd_tiles {
    float *patch;
    size_t row_step; /* from one row of the patch to the next */
    size_t col_step; /* and from one tile */
    float *terms;
    size_t term_step, tile_step;
    size_t n;
    const float *bias; /* `lanes` values; output only */
} tni_winograd_tiles;

typedef void (*tni_winograd_tiles_fn)(const tni_winograd_tiles *t);

typedef struct tni_winograd_kernels {
    uint32_t isa;
    const char *name;
    int lanes; /* a divisor of 16 */
    tni_winograd_load_fn load;
    tni_winograd_store_fn store;
    tni_winograd_tiles_fn input[3], output[3]; /* m = 1, 2, 4 */
} tni_winograd_kernels;

#define TN_WINOGRAD_KERNEL(isa, name, lanes)                                   \
    void tni_winograd_f32_load__##name(                                        \
        float *patch, const float *x, size_t x_cs, size_t channels, size_t n); \
    void tni_winograd_f32_store__##name(const tni_winograd_row *r);            \
    void tni_winograd_f32_input1__##name(const tni_winograd_tiles *t);         \
    void tni_winograd_f32_input2__##name(const tni_winograd_tiles *t);         \
    void tni_winograd_f32_input4__##name(const tni_winograd_tiles *t);         \
    void tni_winograd_f32_output1__##name(const tni_winograd_tiles *t);        \
    void tni_winograd_f32_output2__##name(const tni_winograd_tiles *t);        \
    void tni_winograd_f32_output4__##name(const tni_winograd_tiles *t);
#include "kernels/winograd/winograd.def"
#undef TN_WINOGRAD_KERNEL

void tni_winograd_init(tni_winograd_kernels *k, uint32_t isa);

/* Table access for kcheck: row i, or false past the end. */
bool tni_winograd_row_at(tni_winograd_kernels *k, int i);

/* Everything about a convolution but its data. A block is a rectangle of
 * tiles; rows of tiles are counted through all images. */
typedef struct tni_winograd_plan {
    tni_conv_shape s;
    size_t m, side, terms;  /* of a tile of outputs, of inputs; side^2 */
    size_t down, across;    /* pixels from one tile to the next */
    size_t in_len, out_len; /* elements of a channel */
    size_t rows, cols;      /* tiles of one image */
    size_t block_rows, block_cols;
    size_t row_blocks, col_blocks;
    size_t panels;       /* of output channels */
    size_t pass;         /* panels that are multiplied in one go */
    size_t k_step;       /* channels that are summed in one go */
    size_t v_ld, v_step; /* V of a block: [term][tile][ic] */
    size_t s_ld, s_step; /* sums of a pass: [term][tile][channel] */
    /* When V is shared, blocks are transformed first, `chunk` at a time, by
     * tasks of their own, and every task of products does one pass over one
     * block. Else a task does all of one block. */
    bool shared;
    size_t chunk;
    size_t packed_len; /* floats of transformed weights */
    size_t v_len, sums_len, patch_len;
} tni_winograd_plan;

/* The side of tiles for a shape: 4, 2, 1, or 0 where tni_conv_run is as good
 * for the memory or the shape is not for this family. Looks at one image of the
 * batch only. */
int tni_winograd_choose(const tni_winograd_kernels *ker,
                        const tni_gemm_kernels *gemm, const tni_conv_shape *s);

/* False when the shape is not for this family or a size overflows. */
bool tni_winograd_plan_init(tni_winograd_plan *p,
                            const tni_winograd_kernels *ker,
                            const tni_gemm_kernels *gemm,
                            const tni_conv_shape *s, int m);

/* Transforms weights into packed_len floats; in doubles, rounded once. */
void tni_winograd_pack(const tni_winograd_plan *p, const tni_gemm_kernels *gemm,
                       float *packed, const float *w);

/* Floats of scratch for a number of workers. */
size_t tni_winograd_scratch_len(const tni_winograd_plan *p, int workers);

/* epi as in tni_conv_run. */
void tni_winograd_run(const tni_winograd_plan *p,
                      const tni_winograd_kernels *ker,
                      const tni_gemm_kernels *gemm, const float *x,
                      const float *packed, const tni_epilogue *epi, float *y,
                      float *scratch, const tni_par *par);

#endif
