/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv.h - products and convolutions of 8-bit integers, channels last
 *
 * acc[p, o] = sum_k (w[o, k] - zw[o]) (x[k at p] - zx) + bias[o], and then
 * acc itself, a float acc * scale[o] + add[o], or that product rounded half to
 * even, moved by a zero point and held in a range: all in registers.
 *
 * Shapes:  x[n, h, w, g*ic], y[n, oh, ow, g*oc]; any group, stride, dilation
 *          and padding. A matrix product is a kernel of one element.
 * Layout:  channels last; weights are packed ahead in panels of channels.
 * Method:  a tile is mr pixels by nr channels, summed over all terms in one
 *          pass. Terms come in groups of 32 bits. PAIRS: two differences
 *          x - zx of 16 bits, multiplied and added without saturation by
 *          vpmaddwd and its like. QUADS: four bytes as they are for dot
 *          product instructions; zx times the sum of the weights is taken from
 *          the bias. SIGNED: the same of signed bytes. NARROW: as QUADS by
 *          vpmaddubsw, whose 16-bit sums of two products saturate: for weights
 *          of which no two that are added could make it. A band of the image is
 *          written in that form into scratch, its padding with it, unless it
 *          is there already: bytes that need no padding are read in place.
 * Numeric: exact; sums wrap around in 32 bits; the ending is written in single
 *          IEEE operations. The same bits on every row.
 * Aliases: y overlaps neither x nor w.
 * Reads:   no more than the tensors given.
 * Threads: any; scratch is exclusive to the call.
 * Source:  github.com/onnx/onnx docs/Operators.md#QLinearConv
 */
#ifndef TN_SRC_KERNELS_QCONV_QCONV_H
#define TN_SRC_KERNELS_QCONV_QCONV_H

#include "base/par.h"
#include "kernels/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tni_qconv_form {
    TNI_QCONV_PAIRS, /* takes any weights */
    TNI_QCONV_NARROW,
    TNI_QCONV_QUADS,
    TNI_QCONV_SIGNED,
    TNI_QCONV_FORMS
} tni_qconv_form;

typedef enum tni_qconv_out {
    TNI_QCONV_I32,
    TNI_QCONV_F32,
    TNI_QCONV_BYTES
} tni_qconv_out;

/* What becomes of the sums. Arrays are per output channel and as long as
 * tni_qconv_plan.oc_len says, which is whole panels of every group. */
typedef struct tni_qconv_end {
    tni_qconv_out out;
    const int32_t *bias; /* with what zero points leave; never NULL */
    const float *scale;  /* unused for I32 */
    const float *add;    /* for F32; NULL: nothing */
    float lo, hi;        /* range of BYTES less the zero point */
    int32_t zero;
} tni_qconv_end;

/* One call of the micro-kernel. */
typedef struct tni_qconv_tile {
    const char *x;
    const uint32_t *pix; /* mr offsets of pixels in bytes */
    const uint32_t *run; /* n_runs offsets from a pixel in bytes */
    size_t n_runs, len;  /* groups of 32 bits that lie together in each run */
    const void *w;       /* n_runs * len rows of the panel's width */
    int mr, nr;
    tni_qconv_end end; /* arrays begin at the panel's first channel */
    void *y;           /* element (pixel r, channel j) at y[r * y_rs + j] */
    size_t y_rs;
} tni_qconv_tile;

typedef void (*tni_qconv_tile_fn)(const tni_qconv_tile *t);
/* n bytes in the form's way: less `zero` and 16 bits wide, or with `flip`
 * applied to every byte. */
typedef void (*tni_qconv_form_fn)(void *out, const uint8_t *x, size_t n,
                                  bool x_signed, int zero);

typedef struct tni_qconv_row {
    uint32_t isa;
    const char *name;
    tni_qconv_form form;
    int mr, nr;
    tni_qconv_tile_fn tile;
    tni_qconv_form_fn prepare;
} tni_qconv_row;

/* The best row of each form; tile is NULL where there is none. */
typedef struct tni_qconv_kernels {
    tni_qconv_row rows[TNI_QCONV_FORMS];
} tni_qconv_kernels;

#define TN_QCONV_KERNEL(isa, form, name, mr, nr)                               \
    void tni_qconv_tile__##name(const tni_qconv_tile *t);                      \
    void tni_qconv_prepare__##name(void *out, const uint8_t *x, size_t n,      \
                                   bool x_signed, int zero);
#include "kernels/qconv/qconv.def"
#undef TN_QCONV_KERNEL

void tni_qconv_init(tni_qconv_kernels *k, uint32_t isa);
/* Table access for kcheck: row i, or false past the end. */
bool tni_qconv_table(tni_qconv_row *row, int i);

typedef struct tni_qconv_shape {
    size_t n, groups, ic, oc; /* ic and oc of one group */
    size_t in[2], out[2], kernel[2], stride[2], dilation[2];
    size_t pad_lo[2]; /* upper padding follows from `out` */
} tni_qconv_shape;

/* Where weight (o, c, tap) of all output channels lies, in elements; the
 * dtype, and a zero point for each channel (step 1) or for all. */
typedef struct tni_qconv_weights {
    const uint8_t *w;
    size_t o_step, c_step, tap_step;
    bool is_signed;
    const int32_t *zero;
    size_t zero_step;
} tni_qconv_weights;

typedef struct tni_qconv_plan {
    tni_qconv_shape s;
    tni_qconv_row row;
    bool x_signed, in_place;
    size_t elem, per;      /* bytes of a term; terms of 32 bits */
    size_t n_runs, len;    /* runs of a patch and their groups */
    size_t run_terms;      /* terms of a run that count */
    size_t gather[2];      /* pixels of the image from one of a band to next */
    size_t band_w, band_h; /* pixels of a band */
    size_t rows;           /* of output, per band */
    size_t bands, oc_step, oc_tasks;
    size_t panels; /* of a group */
    size_t panel_bytes;
    size_t packed_bytes; /* of all groups */
    size_t oc_len;       /* of arrays per channel */
    size_t worker_bytes;
} tni_qconv_plan;

/* Chooses sizes. False when one overflows. */
bool tni_qconv_plan_init(tni_qconv_plan *p, const tni_qconv_row *row,
                         const tni_qconv_shape *s, bool x_signed,
                         int n_workers);

/* Whether the plan's row is exact for these weights. */
bool tni_qconv_weights_fit(const tni_qconv_plan *p, const tni_qconv_weights *w);

/* A plan with the best row that these weights allow. */
bool tni_qconv_plan_for(tni_qconv_plan *p, const tni_qconv_kernels *k,
                        const tni_qconv_shape *s, const tni_qconv_weights *w,
                        bool x_signed, int n_workers);

/* Packs the weights, and their sums: oc_len of them. */
void tni_qconv_pack(const tni_qconv_plan *p, void *packed, int32_t *sums,
                    const tni_qconv_weights *w);

/* oc_len values for tni_qconv_end.bias from those of the operator (NULL: none),
 * the sums of the weights and the zero point of x. */
void tni_qconv_bias(const tni_qconv_plan *p, int32_t *out, const int32_t *bias,
                    const int32_t *sums, int zero);
/* Where value `o` of groups * oc lies among oc_len. */
size_t tni_qconv_oc_at(const tni_qconv_plan *p, size_t o);

void tni_qconv_run(const tni_qconv_plan *p, const uint8_t *x, int zero,
                   const void *packed, const tni_qconv_end *end, void *y,
                   char *scratch, const tni_par *par);

#endif
