/* SPDX-License-Identifier: Apache-2.0 */
/* trilu.c - keeps the upper or lower triangle of matrices */
#include "ops/trilu.h"

#include "ops/move.h"

#include <string.h>

const tni_arg tni_trilu_in[2] = {{"input", TNI_ANY, 'T', 0},
                                 {"k", TNI_T(TN_I64), 0, TNI_OPTIONAL}};
const tni_arg tni_trilu_out[1] = {{"output", TNI_ANY, 'T', 0}};
const tni_attr_spec tni_trilu_attrs[1] = {{"upper", TNI_ATTR_INT, "1"}};

tn_status tni_trilu_infer(tni_infer *c)
{
    if (tni_infer_ranked(c, 0) && c->in[0]->rank < 2)
        return tni_fail(c->err, TN_EINVAL, "rank %d, expected at least 2",
                        c->in[0]->rank);
    return tni_infer_unary(c);
}

tn_status tni_trilu_ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    if (x->rank < 2)
        return tni_fail(c->err, TN_EINVAL, "rank %d, expected at least 2",
                        x->rank);
    int64_t k = 0;
    if (tni_ref_has(c, 1)) TN_TRY(tni_scalar_i64(&k, c->in[1], "k", c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0) || x->len == 0) return TN_OK;
    const bool upper = tni_attr_int(c->node, "upper", 1) != 0;
    const int64_t m = x->dims[x->rank - 2], n = x->dims[x->rank - 1];
    if (k > n) k = n;
    if (k < -m) k = -m;
    const size_t elem = tn_dtype_size(x->dtype);
    tni_move(c->out[0], x);
    char *y = c->out[0]->data;
    for (int64_t r = 0; r < x->len / n; r++) {
        /* The first column on the far side of the diagonal. */
        int64_t col = r % m + k + (upper ? 0 : 1);
        col = col < 0 ? 0 : col > n ? n : col;
        char *row = y + (size_t)(r * n) * elem;
        if (upper)
            memset(row, 0, (size_t)col * elem);
        else
            memset(row + (size_t)col * elem, 0, (size_t)(n - col) * elem);
    }
    return TN_OK;
}
