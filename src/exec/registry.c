/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c - the tables as names and JSON */
#include "tenon/registry.h"

#include "kernels/list.h"
#include "passes/pass.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text that is cut to a size while its full length is counted. */
typedef struct text {
    char *buf;
    size_t size, len;
} text;

static void put(text *t, const char *fmt, ...) TN_PRINTF(2, 3);

static void put(text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *at = t->len < t->size ? t->buf + t->len : NULL;
    const int n = vsnprintf(at, at != NULL ? t->size - t->len : 0, fmt, args);
    va_end(args);
    if (n > 0) t->len += (size_t)n;
}

static void put_dtypes(text *t, uint32_t dtypes)
{
    put(t, "[");
    const char *sep = "";
    for (int i = 1; i < TN_DTYPE_COUNT; i++) {
        if (dtypes != 0 && (dtypes & TNI_T(i)) == 0) continue;
        put(t, "%s\"%s\"", sep, tn_dtype_name((tn_dtype)i));
        sep = ", ";
    }
    put(t, "]");
}

static void put_args(text *t, const char *key, const tni_arg *args, int n)
{
    put(t, ", \"%s\": [", key);
    for (int i = 0; i < n; i++) {
        put(t, "%s{\"name\": \"%s\", \"optional\": %s, \"variadic\": %s, "
               "\"dtypes\": ",
            i != 0 ? ", " : "", args[i].name,
            (args[i].flags & TNI_OPTIONAL) != 0 ? "true" : "false",
            (args[i].flags & TNI_VARIADIC) != 0 ? "true" : "false");
        put_dtypes(t, args[i].dtypes);
        put(t, "}");
    }
    put(t, "]");
}

static void describe_op(text *t, const tni_op *op)
{
    put(t, "{\"name\": \"%s\", \"domain\": \"%s\", \"summary\": \"%s\", "
           "\"since\": [",
        op->name, op->domain[0] != '\0' ? op->domain : "ai.onnx", op->summary);
    for (int i = op->n_versions - 1; i >= 0; i--)
        put(t, "%d%s", op->versions[i].since, i != 0 ? ", " : "");
    const tni_op_version *v = &op->versions[0];
    put(t, "]");
    put_args(t, "inputs", v->in, v->n_in);
    put_args(t, "outputs", v->out, v->n_out);
    put(t, ", \"attributes\": [");
    for (int i = 0; i < v->n_attrs; i++) {
        put(t, "%s{\"name\": \"%s\"", i != 0 ? ", " : "", v->attrs[i].name);
        if (v->attrs[i].absent != NULL)
            put(t, ", \"default\": \"%s\"", v->attrs[i].absent);
        put(t, "}");
    }
    put(t, "], \"planned\": %s}", v->plan != NULL ? "true" : "false");
}

size_t tn_registry_count(tn_registry_kind kind)
{
    int n = 0;
    size_t rows = 0;
    switch (kind) {
    case TN_REGISTRY_OPS: (void)tni_ops(&n); return (size_t)n;
    case TN_REGISTRY_KERNELS: (void)tni_kernel_rows(&rows); return rows;
    case TN_REGISTRY_PASSES: (void)tni_passes(&n); return (size_t)n;
    default: return 0; /* of the data column */
    }
}

const char *tn_registry_name(tn_registry_kind kind, size_t i)
{
    if (i >= tn_registry_count(kind)) return NULL;
    int n = 0;
    size_t rows = 0;
    switch (kind) {
    case TN_REGISTRY_OPS: return tni_ops(&n)[i]->name;
    case TN_REGISTRY_KERNELS: return tni_kernel_rows(&rows)[i].name;
    case TN_REGISTRY_PASSES: return tni_passes(&n)[i]->name;
    default: return NULL;
    }
}

size_t tn_registry_describe(tn_registry_kind kind, size_t i, char *buf,
                            size_t size)
{
    text t = {buf, size, 0};
    if (size != 0) buf[0] = '\0';
    if (i >= tn_registry_count(kind)) return 0;
    int n = 0;
    size_t rows = 0;
    if (kind == TN_REGISTRY_OPS) {
        describe_op(&t, tni_ops(&n)[i]);
    } else if (kind == TN_REGISTRY_KERNELS) {
        const tni_kernel_row *r = &tni_kernel_rows(&rows)[i];
        char isa[64];
        tn_isa_format(isa, sizeof isa, r->isa);
        put(&t, "{\"name\": \"%s\", \"family\": \"%s\", \"isa\": \"%s\", "
                "\"available\": %s}",
            r->name, r->family, isa,
            (r->isa & ~tn_cpu_isa()) == 0 ? "true" : "false");
    } else {
        const tni_pass *p = tni_passes(&n)[i];
        put(&t, "{\"name\": \"%s\", \"summary\": \"%s\", \"order\": %zu}",
            p->name, p->summary, i);
    }
    return t.len;
}
