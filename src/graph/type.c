/* SPDX-License-Identifier: Apache-2.0 */
/* type.c - static types: questions and text */
#include "graph/graph.h"

#include <stdio.h>
#include <string.h>

bool tni_type_is_static(const tni_type *t)
{
    if (t->kind != TN_KIND_TENSOR || t->rank < 0 || t->dtype == TN_UNDEFINED)
        return false;
    for (int i = 0; i < t->rank; i++)
        if (t->dims[i] < 0) return false;
    return true;
}

static void format_depth(char *buf, size_t size, const tni_type *t, int depth)
{
    static const char *const open[] = {"?", "", "seq", "optional", "map"};
    if (t == NULL || t->kind == TN_KIND_NONE || depth > 8) {
        (void)snprintf(buf, size, "?");
    } else if (t->kind == TN_KIND_TENSOR) {
        (void)tni_shape_format(buf, size, t->dtype, t->rank, t->dims);
    } else {
        char inner[160];
        format_depth(inner, sizeof inner, t->elem, depth + 1);
        if (t->kind == TN_KIND_MAP)
            (void)snprintf(buf, size, "map(%s,%s)", tn_dtype_name(t->dtype),
                           inner);
        else
            (void)snprintf(buf, size, "%s(%s)", open[t->kind], inner);
    }
}

char *tni_type_format(char *buf, size_t size, const tni_type *t)
{
    format_depth(buf, size, t, 0);
    return buf;
}

void tni_type_of(tni_type *t, const tni_tensor *value)
{
    memset(t, 0, sizeof *t);
    t->kind = value->kind;
    t->dtype = value->dtype;
    t->rank = value->kind == TN_KIND_TENSOR ? value->rank : -1;
    if (t->rank > 0)
        memcpy(t->dims, value->dims, (size_t)t->rank * sizeof t->dims[0]);
}
