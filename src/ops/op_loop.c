/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_loop.c - ONNX Loop: a subgraph repeated with carried values
 *
 * Shapes:  M[]?, cond[]?, v_1 … v_K -> v_1' … v_K', scan_1[trips, …] …
 * Types:   carried values of any kind; scan outputs are tensors
 * Errors:  ELIMIT more trips than the session allows; EINVAL a scan output
 *          that changes its shape
 * Numeric: bit-exact (the body's own)
 * Memory:  carried values live in two arenas that take turns, so that memory
 *          depends on the largest iteration, not on their number; scan
 *          outputs are collected as bytes.
 * Source:  github.com/onnx/onnx docs/Operators.md#Loop
 */
#include "base/checked.h"
#include "ops/subgraph.h"

#include <string.h>

/* What one scan output has gathered. */
typedef struct piece {
    struct piece *next;
    int64_t len;
} piece;

typedef struct scan {
    tn_dtype dtype;
    int rank;
    int64_t dims[TN_MAX_RANK];
    int64_t len;
    piece *first, *last;
} scan;

typedef struct loop {
    tni_ref *c;
    const tni_graph *body;
    int n_carried, n_scans;
    tni_tensor *cur;         /* carried values now */
    tni_tensor *out;         /* what the body gave */
    const tni_tensor **args; /* the body's inputs */
    scan *scans;
    tni_arena turn[2];
    tni_arena kept; /* pieces of scans */
} loop;

static void *piece_bytes(piece *p)
{
    return (char *)p + TNI_ALIGN;
}

static tn_status keep_scan(loop *l, scan *s, const tni_tensor *t, int index)
{
    tni_ref *c = l->c;
    if (t->kind != TN_KIND_TENSOR)
        return tni_fail(c->err, TN_EINVAL, "scan output %d is no tensor",
                        index);
    if (s->last == NULL) {
        if (t->rank >= TN_MAX_RANK)
            return tni_fail(c->err, TN_ELIMIT, "scan output %d: rank %d", index,
                            t->rank);
        s->dtype = t->dtype;
        s->rank = t->rank;
        s->len = t->len;
        memcpy(s->dims, t->dims, sizeof s->dims);
    } else if (s->dtype != t->dtype || s->rank != t->rank ||
               memcmp(s->dims, t->dims, (size_t)t->rank * sizeof t->dims[0]) !=
                   0) {
        return tni_fail(c->err, TN_EINVAL,
                        "scan output %d changes its shape in the loop", index);
    }
    size_t bytes = 0;
    if (!tni_elems_size(&bytes, t->dtype, t->len) ||
        !tni_add_size(bytes, TNI_ALIGN, &bytes))
        return tni_ref_nomem(c);
    piece *p = tni_arena_alloc(&l->kept, bytes, TNI_ALIGN);
    if (p == NULL) return tni_ref_nomem(c);
    p->next = NULL;
    p->len = t->len;
    if (t->dtype == TN_STRING) {
        /* The text must outlive the iteration and the loop. */
        tn_string *to = piece_bytes(p);
        const tn_string *from = TNI_CDATA(tn_string, t);
        for (int64_t i = 0; i < t->len; i++) {
            char *text =
                tni_arena_strndup(c->out_arena, from[i].ptr, from[i].len);
            if (text == NULL) return tni_ref_nomem(c);
            to[i] = (tn_string){text, from[i].len};
        }
    } else if (t->len != 0) {
        memcpy(piece_bytes(p), t->data, bytes - TNI_ALIGN);
    }
    if (s->last == NULL)
        s->first = p;
    else
        s->last->next = p;
    s->last = p;
    return TN_OK;
}

static tn_status put_scan(loop *l, const scan *s, int index, int64_t trips)
{
    tni_ref *c = l->c;
    const int o = l->n_carried + index;
    if (!tni_ref_wants(c, o)) return TN_OK;
    int64_t dims[TN_MAX_RANK] = {trips};
    int rank = 0;
    tn_dtype dtype = s->dtype;
    if (s->first == NULL) {
        /* No iteration: what the body declares, unknown extents being 0. */
        const tni_type *t = &l->body->outputs[1 + o]->type;
        dtype = t->dtype;
        rank = t->rank < 0 || t->rank >= TN_MAX_RANK ? 0 : t->rank;
        for (int i = 0; i < rank; i++)
            dims[i + 1] = t->dims[i] >= 0 ? t->dims[i] : 0;
        if (c->out[o]->rank == rank + 1 && c->out[o]->data != NULL)
            memcpy(dims, c->out[o]->dims, sizeof dims);
        if (dtype == TN_UNDEFINED) dtype = c->out[o]->dtype;
        dims[0] = 0;
    } else {
        rank = s->rank;
        memcpy(dims + 1, s->dims, (size_t)rank * sizeof dims[0]);
    }
    TN_TRY(tni_ref_output(c, o, dtype, rank + 1, dims));
    size_t bytes = 0;
    if (!tni_elems_size(&bytes, dtype, s->len)) return tni_ref_nomem(c);
    char *to = c->out[o]->data;
    for (piece *p = s->first; p != NULL; p = p->next) {
        if (bytes != 0) memcpy(to, piece_bytes(p), bytes);
        to += bytes;
    }
    return TN_OK;
}

/* After an iteration that worked in `now`: carried values become cur, and
 * nothing of them lies in `before` any more. */
static tn_status carry(loop *l, tni_arena *now, const tni_arena *before)
{
    for (int i = 0; i < l->n_carried; i++) {
        const tni_tensor *t = &l->out[1 + i];
        if (tni_value_in_arena(t, before)) {
            tni_tensor copy;
            memset(&copy, 0, sizeof copy);
            TN_TRY(tni_tensor_copy(&copy, t, now, l->c->err));
            l->cur[i] = copy;
        } else {
            l->cur[i] = *t;
        }
    }
    return TN_OK;
}

static tn_status run(loop *l, int64_t max_trips, bool cond)
{
    tni_ref *c = l->c;
    int64_t trip = 0;
    tni_tensor iter, cond_in;
    l->args[0] = &iter;
    l->args[1] = &cond_in;
    for (int i = 0; i < l->n_carried; i++) l->args[2 + i] = &l->cur[i];
    while (cond && trip < max_trips) {
        if ((uint64_t)trip >= c->max_trips)
            return tni_fail(c->err, TN_ELIMIT,
                            "more than %llu iterations (max_loop_trips)",
                            (unsigned long long)c->max_trips);
        tni_arena *now = &l->turn[trip & 1], *before = &l->turn[!(trip & 1)];
        /* In the arena, because the body may hand them back. */
        int64_t *iter_value = tni_arena_alloc(now, sizeof trip, TNI_ALIGN);
        uint8_t *cond_value = tni_arena_alloc(now, 1, TNI_ALIGN);
        if (iter_value == NULL || cond_value == NULL) return tni_ref_nomem(c);
        *iter_value = trip;
        *cond_value = 1;
        tni_tensor_scalar(&iter, TN_I64, tni_body_rank1(l->body, 0),
                          iter_value);
        tni_tensor_scalar(&cond_in, TN_BOOL, tni_body_rank1(l->body, 1),
                          cond_value);
        memset(l->out, 0, (size_t)l->body->n_outputs * sizeof *l->out);
        TN_TRY(c->call(c, l->body, l->args, 2 + l->n_carried, l->out,
                       l->body->n_outputs, now));
        TN_TRY(
            tni_condition(&cond, &l->out[0], "the body's condition", c->err));
        for (int i = 0; i < l->n_scans; i++)
            TN_TRY(
                keep_scan(l, &l->scans[i], &l->out[1 + l->n_carried + i], i));
        TN_TRY(carry(l, now, before));
        tni_arena_reset(before);
        trip++;
    }
    for (int i = 0; i < l->n_carried; i++)
        if (tni_ref_wants(c, i)) TN_TRY(tni_ref_output_copy(c, i, &l->cur[i]));
    for (int i = 0; i < l->n_scans; i++)
        TN_TRY(put_scan(l, &l->scans[i], i, trip));
    return TN_OK;
}

static tn_status check_body(const tni_node *node, int n_in,
                            const tni_graph **out, tn_err *err)
{
    const tni_graph *body = tni_attr_graph(node, "body");
    const int n_carried = n_in > 2 ? n_in - 2 : 0;
    if (body == NULL) return tni_fail(err, TN_EINVAL, "the body is missing");
    if (body->n_inputs != 2 + n_carried || body->n_outputs < 1 + n_carried)
        return tni_fail(err, TN_EINVAL,
                        "the body takes %d values and gives %d; %d carried "
                        "values need %d and at least %d",
                        body->n_inputs, body->n_outputs, n_carried,
                        2 + n_carried, 1 + n_carried);
    *out = body;
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    loop l;
    memset(&l, 0, sizeof l);
    l.c = c;
    TN_TRY(check_body(c->node, c->n_in, &l.body, c->err));
    if (c->call == NULL)
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "subgraphs cannot be run here");
    l.n_carried = c->n_in > 2 ? c->n_in - 2 : 0;
    l.n_scans = l.body->n_outputs - 1 - l.n_carried;
    int64_t max_trips = INT64_MAX;
    if (tni_ref_has(c, 0)) {
        if (c->in[0]->len != 1)
            return tni_fail(c->err, TN_EINVAL, "M is not a single number");
        max_trips = tni_get_i64(c->in[0], 0);
    }
    bool cond = true;
    if (tni_ref_has(c, 1))
        TN_TRY(tni_condition(&cond, c->in[1], "cond", c->err));
    l.cur = TNI_NEW_ARRAY(c->scratch, tni_tensor, l.n_carried + 1);
    l.out = TNI_NEW_ARRAY(c->scratch, tni_tensor, l.body->n_outputs + 1);
    l.args = TNI_NEW_ARRAY(c->scratch, const tni_tensor *, l.n_carried + 2);
    l.scans = TNI_NEW_ARRAY(c->scratch, scan, l.n_scans + 1);
    if (l.cur == NULL || l.out == NULL || l.args == NULL || l.scans == NULL)
        return tni_ref_nomem(c);
    for (int i = 0; i < l.n_carried; i++)
        if (c->in[2 + i] != NULL) l.cur[i] = *c->in[2 + i];
    tni_arena_init(&l.turn[0], c->out_arena->mem, 4096);
    tni_arena_init(&l.turn[1], c->out_arena->mem, 4096);
    tni_arena_init(&l.kept, c->out_arena->mem, 16384);
    const tn_status status = run(&l, max_trips, cond);
    tni_arena_fini(&l.turn[0]);
    tni_arena_fini(&l.turn[1]);
    tni_arena_fini(&l.kept);
    return status;
}

/* Carried values may change their shape from one iteration to the next: widen
 * what the body is told until it gives back nothing wider. */
static tn_status infer_body(tni_infer *c, const tni_graph *body, tni_type *in,
                            tni_type *out)
{
    const int n_carried = body->n_inputs - 2;
    for (int round = 0;; round++) {
        memset(out, 0, (size_t)body->n_outputs * sizeof *out);
        tn_status status = c->graph(c, body, in, body->n_inputs, out);
        if (status != TN_OK) {
            /* Extents of the first iteration may not fit a later one. */
            if (status == TN_ENOMEM || round > 0) return status;
            tni_err_clear(c->err);
        }
        bool stable = status == TN_OK;
        for (int i = 0; i < n_carried; i++) {
            tni_type *t = &in[2 + i];
            tni_type wide = *t;
            if (status != TN_OK) {
                if (t->kind == TN_KIND_TENSOR) wide.rank = -1;
            } else if (out[1 + i].kind == TN_KIND_NONE) {
                wide.kind = TN_KIND_NONE;
            } else {
                TN_TRY(tni_type_join(&wide, t, &out[1 + i], c->arena, c->err));
            }
            if (tni_type_equal(&wide, t)) continue;
            if (round >= 2 && wide.kind == TN_KIND_TENSOR) wide.rank = -1;
            *t = wide;
            stable = false;
        }
        if (stable) return TN_OK;
        if (round == 8)
            return tni_fail(c->err, TN_EINTERNAL,
                            "carried types do not settle");
    }
}

static tn_status infer(tni_infer *c)
{
    const tni_graph *body = NULL;
    TN_TRY(check_body(c->node, c->n_in, &body, c->err));
    if (TN_NEVER(body == NULL)) return TN_EINTERNAL;
    const int n_carried = body->n_inputs - 2;
    if (c->n_out > body->n_outputs - 1)
        return tni_fail(c->err, TN_EINVAL,
                        "the node has %d outputs, its body gives %d", c->n_out,
                        body->n_outputs - 1);
    if (c->graph == NULL) return TN_OK;
    tni_type *in = TNI_NEW_ARRAY(c->arena, tni_type, body->n_inputs);
    tni_type *out = TNI_NEW_ARRAY(c->arena, tni_type, body->n_outputs);
    if (in == NULL || out == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (int k = 0; k < 2; k++) {
        tni_type_tensor(&in[k], k == 0 ? TN_I64 : TN_BOOL,
                        tni_body_rank1(body, k) ? 1 : 0);
        in[k].dims[0] = in[k].rank;
    }
    for (int i = 0; i < n_carried; i++)
        if (tni_infer_has(c, 2 + i)) in[2 + i] = *c->in[2 + i];
    TN_TRY(infer_body(c, body, in, out));
    for (int i = 0; i < c->n_out; i++) {
        if (i < n_carried) {
            /* Already covers the value of no iteration. */
            c->out[i] = in[2 + i];
            continue;
        }
        const tni_type *t = &out[1 + i];
        if (t->kind == TN_KIND_NONE) continue;
        if (t->kind != TN_KIND_TENSOR)
            return tni_fail(c->err, TN_EINVAL, "scan output %d is no tensor",
                            i - n_carried);
        if (t->rank < 0 || t->rank >= TN_MAX_RANK) {
            tni_infer_unranked(c, i, t->dtype);
            continue;
        }
        int64_t dims[TN_MAX_RANK] = {TNI_DIM_UNKNOWN};
        memcpy(dims + 1, t->dims, (size_t)t->rank * sizeof dims[0]);
        TN_TRY(tni_infer_dims(c, i, t->dtype, t->rank + 1, dims));
    }
    return TN_OK;
}

static const tni_arg in[] = {
    {"M", TNI_T(TN_I64), 0, TNI_OPTIONAL},
    {"cond", TNI_BOOLS, 0, TNI_OPTIONAL},
    {"v_initial", 0, 0,
     TNI_VARIADIC | TNI_OPTIONAL | TNI_HETERO | TNI_NONTENSOR},
};
static const tni_arg out[] = {
    {"v_final_and_scan_outputs", 0, 0,
     TNI_VARIADIC | TNI_HETERO | TNI_NONTENSOR},
};
static const tni_attr_spec attrs[] = {{"body", TNI_ATTR_GRAPH, "required"}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED,
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_loop = {.domain = "",
                            .name = "Loop",
                            .summary = "repeats a subgraph",
                            TNI_VERSIONS(versions)};
