/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convolution.h - what Conv, FusedConv and ConvTranspose share
 *
 * Shapes:  x[N, C, D1 ... Dk], w[M, C/g, k1 ... kk] -> y[N, M, D1' ... Dk'];
 *          transposed: w[C, M/g, k1 ... kk]
 * Extents: Conv: floor((D + pads - reach) / stride) + 1 with reach =
 *          (kernel - 1) * dilation + 1; SAME_* ceil(D / stride).
 *          ConvTranspose: (D - 1) * stride + output_padding + reach - pads, or
 *          output_shape, or SAME_* D * stride, from which pads follow.
 * Numeric: references sum in double and round once; plans sum in float, see
 *          kernels/conv/conv.h.
 * Source:  github.com/onnx/onnx docs/Operators.md#Conv, #ConvTranspose
 */
#ifndef TN_SRC_OPS_CONVOLUTION_H
#define TN_SRC_OPS_CONVOLUTION_H

#include "ops/activation.h"
#include "ops/infer.h"

enum { TNI_CONV_DIMS = TN_MAX_RANK - 2 };

/* Extents may be unknown (negative) during inference only. */
typedef struct tni_conv_geom {
    int nd;
    int64_t n, groups, ic, oc; /* ic and oc of one group */
    int64_t in[TNI_CONV_DIMS], out[TNI_CONV_DIMS], kernel[TNI_CONV_DIMS];
    int64_t stride[TNI_CONV_DIMS], dilation[TNI_CONV_DIMS];
    int64_t before[TNI_CONV_DIMS], after[TNI_CONV_DIMS];
} tni_conv_geom;

/* Geometry from a node, the shape of x, and that of w (NULL: not known);
 * everything that can be checked is. */
tn_status tni_convolution_make(tni_conv_geom *g, const tni_node *node,
                               const tni_type *x, const tni_type *w,
                               bool transposed, tn_err *err);

/* infer of either direction: inputs x, w, bias. */
tn_status tni_convolution_infer(tni_infer *c, bool transposed);

/* Geometry of the tensors at hand; output 0 gets shape and memory. */
tn_status tni_convolution_ref_geom(tni_ref *c, tni_conv_geom *g,
                                   bool transposed);

/* y[n, o, ...] = sum w x + bias in double; x, w and bias (NULL: none) dense. */
void tni_convolution_f64(const tni_conv_geom *g, const double *x,
                         const double *w, const double *bias, double *y);

/* ref and plan of Conv and FusedConv: inputs x, w, bias, residual. */
tn_status tni_convolution_ref(tni_ref *c);
tn_status tni_convolution_plan(tni_plan *c);

/* The kernel family's shape; false when there are more than 3 axes. */
bool tni_convolution_kernel_shape(tni_conv_shape *s, const tni_conv_geom *g);

#endif
