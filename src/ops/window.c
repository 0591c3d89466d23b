/* SPDX-License-Identifier: Apache-2.0 */
/* window.c - HannWindow, HammingWindow and BlackmanWindow */
#include "ops/window.h"

#include "ops/move.h"

#include <math.h>

const tni_arg tni_window_in[1] = {
    {"size", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0}};
const tni_arg tni_window_out[1] = {{"output", TNI_NUMERIC, 0, 0}};
const tni_attr_spec tni_window_attrs[2] = {
    {"output_datatype", TNI_ATTR_INT, "1"}, {"periodic", TNI_ATTR_INT, "1"}};

static tn_status dtype_of(tn_dtype *out, const tni_node *node, tn_err *err)
{
    TN_TRY(tni_attr_dtype(out, node, "output_datatype", TN_F32, err));
    if ((TNI_NUMERIC & TNI_T(*out)) != 0) return TN_OK;
    return tni_fail(err, TN_EUNSUPPORTED, "output_datatype %s",
                    tn_dtype_name(*out));
}

static tn_status size_of(int64_t *size, const tni_tensor *t, tn_err *err)
{
    TN_TRY(tni_scalar_i64(size, t, "size", err));
    if (*size < 0)
        return tni_fail(err, TN_EINVAL, "size %lld", (long long)*size);
    return TN_OK;
}

tn_status tni_window_infer(tni_infer *c)
{
    tn_dtype dtype = TN_F32;
    int64_t size = TNI_DIM_UNKNOWN;
    TN_TRY(dtype_of(&dtype, c->node, c->err));
    if (tni_infer_const(c, 0) != NULL)
        TN_TRY(size_of(&size, tni_infer_const(c, 0), c->err));
    return tni_infer_dims(c, 0, dtype, 1, &size);
}

tn_status tni_window_ref(tni_ref *c, double a0, double a1, double a2)
{
    tn_dtype dtype = TN_F32;
    int64_t size = 0;
    TN_TRY(dtype_of(&dtype, c->node, c->err));
    TN_TRY(size_of(&size, c->in[0], c->err));
    TN_TRY(tni_ref_output(c, 0, dtype, 1, &size));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    const bool periodic = tni_attr_int(c->node, "periodic", 1) != 0;
    const double n = (double)(periodic ? size : size - 1);
    const double turn = 6.283185307179586476925286766559;
    for (int64_t i = 0; i < size; i++) {
        const double x = turn * (double)i / n;
        tni_set_f64(c->out[0], i,
                    n > 0.0 ? a0 - a1 * cos(x) + a2 * cos(2.0 * x) : 1.0);
    }
    return TN_OK;
}
