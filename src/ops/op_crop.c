/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_crop.c - ONNX Crop, an experimental operator of opset 1
 *
 * Shapes:  input[n, c, h, w]  ->  output without `border` (left, top, right,
 *          bottom); with `scale` (height, width) that large, from the left and
 *          top border on
 * Types:   all
 * Errors:  EINVAL borders that do not fit
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status cropped(int64_t *out, const tni_node *node, int rank,
                         const int64_t *dims, tn_err *err)
{
    int n = 0, m = 0;
    const int64_t *border = tni_attr_ints(node, "border", &n);
    const int64_t *scale = tni_attr_ints(node, "scale", &m);
    bool fits = rank == 4 && n == 4 && (m == 0 || m == 2);
    for (int i = 0; i < 4 && fits; i++)
        fits = border[i] >= 0 && border[i] <= INT32_MAX;
    for (int d = 0; d < 4 && fits; d++) {
        out[d] = dims[d];
        if (d < 2) continue;
        const int64_t first = border[d == 2 ? 1 : 0];
        const int64_t end = border[d == 2 ? 3 : 2];
        if (m == 2) {
            out[d] = scale[d - 2];
            fits = out[d] >= 0 && (dims[d] < 0 || out[d] <= dims[d] - first);
        } else if (dims[d] >= 0) {
            out[d] = dims[d] - first - end;
            fits = out[d] >= 0;
        } else if (first + end != 0) {
            out[d] = TNI_DIM_UNKNOWN;
        }
    }
    if (fits) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "%d borders and %d scales do not fit the input of rank %d",
                    n, m, rank);
}

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    int64_t dims[4];
    TN_TRY(cropped(dims, c->node, c->in[0]->rank, c->in[0]->dims, c->err));
    return tni_infer_dims(c, 0, c->in[0]->dtype, 4, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int64_t dims[4], to[4], from[4];
    int n = 0;
    TN_TRY(cropped(dims, c->node, x->rank, x->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, 4, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const int64_t *border = tni_attr_ints(c->node, "border", &n);
    const size_t elem = tn_dtype_size(x->dtype);
    tni_strides(to, 4, dims);
    tni_strides(from, 4, x->dims);
    tni_copy copy;
    tni_copy_init(&copy, elem, 4, dims, to, from);
    tni_copy_run(&copy, c->out[0]->data,
                 (const char *)x->data +
                     (size_t)(border[1] * from[2] + border[0]) * elem,
                 c->par);
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"border", TNI_ATTR_INTS, "required"},
                                      {"scale", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_crop = {
    .domain = "",
    .name = "Crop",
    .summary = "Cuts the border of an image",
    TNI_VERSIONS(versions),
};
