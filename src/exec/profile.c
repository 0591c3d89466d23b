/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c - time per operator of a run context */
#include "exec/profile.h"

#include <stdio.h>
#include <string.h>

void tni_profile_init(tni_profile *p, tni_mem *mem)
{
    memset(p, 0, sizeof *p);
    tni_arena_init(&p->arena, mem, 1 << 14);
}

void tni_profile_fini(tni_profile *p)
{
    if (p->arena.mem != NULL) tni_arena_fini(&p->arena);
}

char *tni_profile_label(char *buf, size_t size, const tni_node *node)
{
    const tn_string act = tni_attr_string(node, "activation");
    (void)snprintf(buf, size, "%s%s%s%s%.*s", node->domain,
                   node->domain[0] != '\0' ? "." : "", node->op_type,
                   act.len != 0 ? "+" : "",
                   (int)(act.len < 40 ? act.len : 40),
                   act.ptr != NULL ? act.ptr : "");
    return buf;
}

/* What a session of TN_SESSION_BF16 says of a step, after its type. */
static void add_precision(tni_profile_entry *e, const tni_step *s)
{
    const size_t used = strlen(e->detail);
    if (s->precision != NULL)
        (void)snprintf(e->detail + used, sizeof e->detail - used, "%s%s",
                       used != 0 ? ", " : "", s->precision);
}

static double tensor_bytes(const tni_tensor *t)
{
    return t != NULL ? (double)tn_tensor_size(t) : 0.0;
}

/* Multiplications and additions of one call, where the operator is a sum of
 * products; 0 elsewhere. */
static double count_flops(const tni_node *node, const tni_run *run)
{
    const tni_tensor *a = node->n_in > 0 ? run->in[0] : NULL;
    const tni_tensor *b = node->n_in > 1 ? run->in[1] : NULL;
    const tni_tensor *y = node->n_out > 0 ? run->out[0] : NULL;
    if (a == NULL || b == NULL || y == NULL) return 0.0;
    const char *op = node->op_type;
    if (strcmp(op, "Conv") == 0 || strcmp(op, "FusedConv") == 0)
        return b->rank > 0 && b->dims[0] > 0
                   ? 2.0 * (double)y->len * (double)(b->len / b->dims[0])
                   : 0.0;
    if (strcmp(op, "ConvTranspose") == 0)
        return b->rank > 1 && b->dims[0] > 0
                   ? 2.0 * (double)a->len * (double)(b->len / b->dims[0])
                   : 0.0;
    if (strcmp(op, "MatMul") == 0 || strcmp(op, "FusedMatMul") == 0)
        return a->rank > 0 ? 2.0 * (double)y->len *
                                 (double)a->dims[a->rank - 1]
                           : 0.0;
    if (strcmp(op, "Gemm") == 0 || strcmp(op, "FusedGemm") == 0 ||
        strcmp(op, "Product") == 0) {
        const bool trans = tni_attr_int(node, "transA", 0) != 0;
        if (a->rank < 2) return 0.0;
        return 2.0 * (double)y->len *
               (double)a->dims[trans ? a->rank - 2 : a->rank - 1];
    }
    return 0.0;
}

tn_status tni_profile_start(tni_profile *p, const tni_exec_plan *plan,
                            tn_err *err)
{
    tni_arena_reset(&p->arena);
    p->n_rows = 0;
    p->rows = TNI_NEW_ARRAY(&p->arena, tni_profile_entry, plan->n_steps);
    if (p->rows == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    p->n_rows = plan->n_steps;
    for (int i = 0; i < p->n_rows; i++) {
        tni_profile_entry *e = &p->rows[i];
        (void)tni_profile_label(e->op, sizeof e->op, plan->steps[i].node);
        e->pub.node = plan->steps[i].node->name;
        e->pub.op = e->op;
        e->pub.detail = e->detail;
        add_precision(e, &plan->steps[i]);
    }
    return TN_OK;
}

void tni_profile_add(tni_profile *p, int step, uint64_t ns,
                     const tni_frame *frame)
{
    if (step >= p->n_rows) return;
    tni_profile_entry *e = &p->rows[step];
    const tni_run *run = &frame->runs[step];
    const tni_step *s = &frame->plan->steps[step];
    if (e->pub.calls == 0) {
        e->detail[0] = '\0';
        if (s->n_out > 0 && run->out[0] != NULL)
            (void)tni_shape_format(e->detail, sizeof e->detail,
                                   run->out[0]->dtype, run->out[0]->rank,
                                   run->out[0]->dims);
        add_precision(e, s);
        e->pub.flops = count_flops(s->node, run);
        double bytes = 0.0;
        for (int k = 0; k < s->n_in; k++) bytes += tensor_bytes(run->in[k]);
        for (int k = 0; k < s->n_out; k++) bytes += tensor_bytes(run->out[k]);
        e->pub.bytes = bytes;
        e->pub.min_ns = ns;
    }
    e->pub.calls++;
    e->pub.total_ns += ns;
    if (ns < e->pub.min_ns) e->pub.min_ns = ns;
}

void tni_profile_reset(tni_profile *p)
{
    for (int i = 0; i < p->n_rows; i++) {
        p->rows[i].pub.calls = 0;
        p->rows[i].pub.total_ns = 0;
    }
}
