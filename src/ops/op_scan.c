/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_scan.c - ONNX Scan: a subgraph along an axis of its inputs
 *
 * Shapes:  states s_1 … s_N, scanned x_1 … x_M -> s_1' … s_N', y_1 … y_K.
 *          Opset 9 on: x_i is cut along scan_input_axes[i], y_j put together
 *          along scan_output_axes[j]. Opset 8: every value has a batch axis
 *          first and time second; sequences of a batch end by sequence_lens
 *          and what follows is zero.
 * Types:   tensors of any dtype
 * Errors:  EINVAL scanned inputs of different lengths, a scan output that
 *          changes its shape
 * Numeric: bit-exact (the body's own)
 * Memory:  states live in two arenas that take turns
 * Source:  github.com/onnx/onnx docs/Operators.md#Scan
 */
#include "base/checked.h"
#include "ops/subgraph.h"

#include <string.h>

/* One value seen as [outer, len, inner] around the scanned axis. */
typedef struct strip {
    int axis;
    bool reverse;
    size_t outer, inner_bytes;
} strip;

typedef struct spec {
    const tni_graph *body;
    bool batched; /* opset 8 */
    int first;    /* node input of the first state */
    int n_states, n_scanned, n_outs;
    const int64_t *in_axes, *in_dirs, *out_axes, *out_dirs;
} spec;

typedef struct scan {
    tni_ref *c;
    spec s;
    strip *in, *out;
    tni_tensor *state;      /* now */
    tni_tensor *value;      /* what the body gave */
    tni_tensor *slice;      /* of the scanned inputs */
    const tni_tensor **arg; /* the body's inputs */
    tni_arena turn[2];
    bool placed; /* outputs have their memory */
} scan;

static tn_status ints(const tni_node *node, const char *name, int want,
                      const int64_t **out, tn_err *err)
{
    int n = 0;
    *out = tni_attr_ints(node, name, &n);
    if (*out != NULL && n != want)
        return tni_fail(err, TN_EINVAL, "%s has %d entries, expected %d", name,
                        n, want);
    return TN_OK;
}

static tn_status read_spec(spec *s, const tni_node *node, int n_in, tn_err *err)
{
    memset(s, 0, sizeof *s);
    s->batched = node->opset < 9;
    s->first = s->batched ? 1 : 0;
    s->body = tni_attr_graph(node, "body");
    int n = 0;
    if (s->body == NULL ||
        !tni_to_int(tni_attr_int(node, "num_scan_inputs", 0), &n) || n < 1 ||
        n > n_in - s->first)
        return tni_fail(err, TN_EINVAL,
                        "body or num_scan_inputs is missing or wrong");
    s->n_scanned = n;
    s->n_states = n_in - s->first - n;
    s->n_outs = s->body->n_outputs - s->n_states;
    if (s->body->n_inputs != s->n_states + s->n_scanned || s->n_outs < 0)
        return tni_fail(err, TN_EINVAL,
                        "the body takes %d values and gives %d; there are %d "
                        "states and %d scanned inputs",
                        s->body->n_inputs, s->body->n_outputs, s->n_states,
                        s->n_scanned);
    if (s->batched)
        return ints(node, "directions", s->n_scanned, &s->in_dirs, err);
    TN_TRY(ints(node, "scan_input_axes", s->n_scanned, &s->in_axes, err));
    TN_TRY(ints(node, "scan_input_directions", s->n_scanned, &s->in_dirs, err));
    TN_TRY(ints(node, "scan_output_axes", s->n_outs, &s->out_axes, err));
    return ints(node, "scan_output_directions", s->n_outs, &s->out_dirs, err);
}

/* The scanned axis of input i, of a tensor of this rank. */
static tn_status in_axis(int *axis, const spec *s, int i, int rank, tn_err *err)
{
    const int lead = s->batched ? 1 : 0;
    if (rank <= lead)
        return tni_fail(err, TN_EINVAL, "scanned input %d has rank %d", i,
                        rank);
    *axis = lead;
    if (s->in_axes == NULL) return TN_OK;
    return tni_axis(axis, s->in_axes[i], rank, err);
}

static tn_status out_axis(int *axis, const spec *s, int j, int rank,
                          tn_err *err)
{
    *axis = s->batched ? 1 : 0;
    if (s->out_axes == NULL) return TN_OK;
    return tni_axis(axis, s->out_axes[j], rank, err);
}

static tn_status set_strip(strip *p, const tni_tensor *t, int axis,
                           bool reverse, tn_err *err)
{
    p->axis = axis;
    p->reverse = reverse;
    p->outer = 1;
    int64_t inner = 1;
    for (int i = 0; i < axis; i++) p->outer *= (size_t)t->dims[i];
    for (int i = axis + 1; i < t->rank; i++) inner *= t->dims[i];
    if (!tni_elems_size(&p->inner_bytes, t->dtype, inner))
        return tni_fail(err, TN_ELIMIT, "the size overflows");
    return TN_OK;
}

/* Entry `at` of the scanned axis, as a tensor of its own. For a batched value
 * the batch axis is one step of the outer count and dropped as well. */
static tn_status cut(tni_tensor *out, const tni_tensor *t, const strip *p,
                     bool batched, int64_t batch, int64_t at, tni_arena *arena,
                     tn_err *err)
{
    int64_t dims[TN_MAX_RANK];
    int rank = 0;
    for (int i = batched ? 1 : 0; i < t->rank; i++)
        if (i != p->axis) dims[rank++] = t->dims[i];
    memset(out, 0, sizeof *out);
    TN_TRY(tni_tensor_alloc(out, arena, t->dtype, rank, dims, err));
    if (out->len == 0) return TN_OK;
    const size_t len = (size_t)t->dims[p->axis];
    const size_t first = batched ? (size_t)batch : 0;
    const size_t n = batched ? 1 : p->outer;
    for (size_t o = 0; o < n; o++)
        memcpy((char *)out->data + o * p->inner_bytes,
               TNI_CDATA(char, t) +
                   ((first + o) * len + (size_t)at) * p->inner_bytes,
               p->inner_bytes);
    return TN_OK;
}

/* Row `batch` of a batched value. */
static tn_status cut_batch(tni_tensor *out, const tni_tensor *t, int64_t batch,
                           tni_arena *arena, tn_err *err)
{
    strip p;
    if (t->rank < 1)
        return tni_fail(err, TN_EINVAL, "a state has no batch axis");
    TN_TRY(set_strip(&p, t, 0, false, err));
    return cut(out, t, &p, false, 0, batch, arena, err);
}

static tn_status own_strings(tni_ref *c, tn_string *s, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        char *text = tni_arena_strndup(c->out_arena, s[i].ptr, s[i].len);
        if (text == NULL) return tni_ref_nomem(c);
        s[i].ptr = text;
    }
    return TN_OK;
}

/* Stores a value at `at` of output o's scanned axis. */
static tn_status paste(scan *q, int o, const strip *p, int64_t batch,
                       int64_t at, const tni_tensor *v)
{
    tni_ref *c = q->c;
    tni_tensor *t = c->out[o];
    int want = t->rank - (q->s.batched ? 2 : 1), k = 0;
    bool same =
        v->kind == TN_KIND_TENSOR && v->dtype == t->dtype && v->rank == want;
    for (int i = q->s.batched ? 1 : 0; same && i < t->rank; i++)
        if (i != p->axis) same = v->dims[k++] == t->dims[i];
    if (!same)
        return tni_fail(c->err, TN_EINVAL,
                        "output %d of the body changes its shape", o);
    if (v->len == 0) return TN_OK;
    const size_t len = (size_t)t->dims[p->axis];
    const size_t first = q->s.batched ? (size_t)batch : 0;
    const size_t n = q->s.batched ? 1 : p->outer;
    for (size_t i = 0; i < n; i++) {
        char *to =
            (char *)t->data + ((first + i) * len + (size_t)at) * p->inner_bytes;
        memcpy(to, TNI_CDATA(char, v) + i * p->inner_bytes, p->inner_bytes);
        if (t->dtype == TN_STRING)
            TN_TRY(own_strings(c, (tn_string *)(void *)to,
                               (int64_t)(p->inner_bytes / sizeof(tn_string))));
    }
    return TN_OK;
}

/* Scan outputs get their shape from the first value the body gives, or from
 * its declaration when there is no step at all. */
static tn_status place(scan *q, bool ran, int64_t batch, int64_t len)
{
    tni_ref *c = q->c;
    for (int j = 0; j < q->s.n_outs; j++) {
        const int o = q->s.n_states + j;
        if (!tni_ref_wants(c, o)) continue;
        int64_t inner[TN_MAX_RANK];
        int n = 0;
        tn_dtype dtype;
        if (ran) {
            const tni_tensor *v = &q->value[o];
            if (v->kind != TN_KIND_TENSOR)
                return tni_fail(c->err, TN_EINVAL,
                                "output %d of the body is no tensor", o);
            dtype = v->dtype;
            n = v->rank;
            memcpy(inner, v->dims, (size_t)n * sizeof inner[0]);
        } else {
            const tni_type *t = &q->s.body->outputs[o]->type;
            dtype = t->dtype != TN_UNDEFINED ? t->dtype : c->out[o]->dtype;
            n = t->rank > 0 ? t->rank : 0;
            for (int i = 0; i < n; i++)
                inner[i] = t->dims[i] >= 0 ? t->dims[i] : 0;
        }
        const int lead = q->s.batched ? 1 : 0;
        const int rank = n + 1 + lead;
        if (rank > TN_MAX_RANK)
            return tni_fail(c->err, TN_ELIMIT, "output %d: rank %d", o, rank);
        int axis = 0;
        TN_TRY(out_axis(&axis, &q->s, j, rank, c->err));
        int64_t dims[TN_MAX_RANK];
        int k = 0;
        for (int i = 0; i < rank; i++) {
            if (i == axis)
                dims[i] = len;
            else if (i < lead)
                dims[i] = batch;
            else
                dims[i] = inner[k++];
        }
        TN_TRY(tni_ref_output(c, o, dtype, rank, dims));
        const tni_tensor *t = c->out[o];
        TN_TRY(set_strip(&q->out[j], t, axis,
                         q->s.out_dirs != NULL && q->s.out_dirs[j] == 1,
                         c->err));
        size_t bytes = 0;
        if (!tni_elems_size(&bytes, t->dtype, t->len)) return tni_ref_nomem(c);
        if (q->s.batched && bytes != 0) memset(t->data, 0, bytes);
    }
    q->placed = true;
    return TN_OK;
}

/* All steps of one sequence; states are in and out of q->state. */
static tn_status steps(scan *q, int64_t batch, int64_t n_batches, int64_t n,
                       int64_t len)
{
    tni_ref *c = q->c;
    const spec *s = &q->s;
    for (int64_t step = 0; step < n; step++) {
        tni_arena *now = &q->turn[step & 1], *before = &q->turn[!(step & 1)];
        for (int i = 0; i < s->n_scanned; i++) {
            const int64_t at = q->in[i].reverse ? n - 1 - step : step;
            TN_TRY(cut(&q->slice[i], c->in[s->first + s->n_states + i],
                       &q->in[i], s->batched, batch, at, now, c->err));
        }
        memset(q->value, 0, (size_t)s->body->n_outputs * sizeof *q->value);
        TN_TRY(c->call(c, s->body, q->arg, s->body->n_inputs, q->value,
                       s->body->n_outputs, now));
        if (!q->placed) TN_TRY(place(q, true, n_batches, len));
        for (int j = 0; j < s->n_outs; j++) {
            const int o = s->n_states + j;
            if (!tni_ref_wants(c, o)) continue;
            const int64_t at = q->out[j].reverse ? n - 1 - step : step;
            TN_TRY(paste(q, o, &q->out[j], batch, at, &q->value[o]));
        }
        for (int i = 0; i < s->n_states; i++) {
            const tni_tensor *v = &q->value[i];
            if (!tni_value_in_arena(v, before)) {
                q->state[i] = *v;
                continue;
            }
            tni_tensor copy;
            memset(&copy, 0, sizeof copy);
            TN_TRY(tni_tensor_copy(&copy, v, now, c->err));
            q->state[i] = copy;
        }
        tni_arena_reset(before);
    }
    return TN_OK;
}

static tn_status run_plain(scan *q, int64_t len)
{
    tni_ref *c = q->c;
    for (int i = 0; i < q->s.n_states; i++) q->state[i] = *c->in[i];
    TN_TRY(steps(q, 0, 1, len, len));
    if (!q->placed) TN_TRY(place(q, false, 1, len));
    for (int i = 0; i < q->s.n_states; i++)
        if (tni_ref_wants(c, i))
            TN_TRY(tni_ref_output_copy(c, i, &q->state[i]));
    return TN_OK;
}

static tn_status run_batched(scan *q, int64_t len)
{
    tni_ref *c = q->c;
    const spec *s = &q->s;
    const int64_t n = c->in[1 + s->n_states]->dims[0];
    const tni_tensor *lens = c->in[0];
    if (lens != NULL && lens->len != n)
        return tni_fail(c->err, TN_EINVAL,
                        "sequence_lens has %lld entries, the batch %lld",
                        (long long)lens->len, (long long)n);
    for (int64_t b = 0; b < n; b++) {
        const int64_t steps_b = lens != NULL ? tni_get_i64(lens, b) : len;
        if (steps_b < 0 || steps_b > len)
            return tni_fail(c->err, TN_EINVAL,
                            "sequence length %lld outside [0, %lld]",
                            (long long)steps_b, (long long)len);
        for (int i = 0; i < s->n_states; i++) {
            if (c->in[1 + i]->rank < 1 || c->in[1 + i]->dims[0] != n)
                return tni_fail(c->err, TN_EINVAL,
                                "state %d has another batch size", i);
            TN_TRY(
                cut_batch(&q->state[i], c->in[1 + i], b, c->scratch, c->err));
        }
        TN_TRY(steps(q, b, n, steps_b, len));
        for (int i = 0; i < s->n_states; i++) {
            if (!tni_ref_wants(c, i)) continue;
            const tni_tensor *v = &q->state[i];
            int64_t dims[TN_MAX_RANK] = {n};
            if (v->kind != TN_KIND_TENSOR || v->rank >= TN_MAX_RANK)
                return tni_fail(c->err, TN_EINVAL, "state %d is no tensor", i);
            memcpy(dims + 1, v->dims, (size_t)v->rank * sizeof dims[0]);
            if (b == 0)
                TN_TRY(tni_ref_output(c, i, v->dtype, v->rank + 1, dims));
            strip p;
            TN_TRY(set_strip(&p, c->out[i], 0, false, c->err));
            if (c->out[i]->len != v->len * n || v->dtype != c->out[i]->dtype)
                return tni_fail(c->err, TN_EINVAL, "state %d changes its shape",
                                i);
            if (p.inner_bytes == 0) continue;
            char *to = (char *)c->out[i]->data + (size_t)b * p.inner_bytes;
            memcpy(to, v->data, p.inner_bytes);
            if (v->dtype == TN_STRING)
                TN_TRY(own_strings(c, (tn_string *)(void *)to, v->len));
        }
        tni_arena_reset(&q->turn[0]);
        tni_arena_reset(&q->turn[1]);
    }
    if (!q->placed) TN_TRY(place(q, false, n, len));
    for (int i = 0; n == 0 && i < s->n_states; i++)
        if (tni_ref_wants(c, i))
            TN_TRY(tni_ref_output_copy(c, i, c->in[1 + i]));
    return TN_OK;
}

static tn_status prepare(scan *q, int64_t *len)
{
    tni_ref *c = q->c;
    const spec *s = &q->s;
    *len = -1;
    for (int i = 0; i < s->n_scanned; i++) {
        const tni_tensor *t = c->in[s->first + s->n_states + i];
        if (t == NULL || t->kind != TN_KIND_TENSOR)
            return tni_fail(c->err, TN_EINVAL, "scanned input %d is no tensor",
                            i);
        int axis = 0;
        TN_TRY(in_axis(&axis, s, i, t->rank, c->err));
        TN_TRY(set_strip(&q->in[i], t, axis,
                         s->in_dirs != NULL && s->in_dirs[i] == 1, c->err));
        if (*len >= 0 && t->dims[axis] != *len)
            return tni_fail(c->err, TN_EINVAL,
                            "scanned inputs have lengths %lld and %lld",
                            (long long)*len, (long long)t->dims[axis]);
        *len = t->dims[axis];
        if (s->batched && t->dims[0] != c->in[1 + s->n_states]->dims[0])
            return tni_fail(c->err, TN_EINVAL,
                            "scanned input %d has another batch size", i);
    }
    for (int i = 0; i < s->n_states; i++)
        if (c->in[s->first + i] == NULL)
            return tni_fail(c->err, TN_EINVAL, "state %d is missing", i);
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    scan q;
    memset(&q, 0, sizeof q);
    q.c = c;
    TN_TRY(read_spec(&q.s, c->node, c->n_in, c->err));
    if (c->call == NULL)
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "subgraphs cannot be run here");
    const spec *s = &q.s;
    q.in = TNI_NEW_ARRAY(c->scratch, strip, s->n_scanned);
    q.out = TNI_NEW_ARRAY(c->scratch, strip, s->n_outs + 1);
    q.state = TNI_NEW_ARRAY(c->scratch, tni_tensor, s->n_states + 1);
    q.slice = TNI_NEW_ARRAY(c->scratch, tni_tensor, s->n_scanned);
    q.value = TNI_NEW_ARRAY(c->scratch, tni_tensor, s->body->n_outputs + 1);
    q.arg = TNI_NEW_ARRAY(c->scratch, const tni_tensor *, s->body->n_inputs);
    if (q.in == NULL || q.out == NULL || q.state == NULL || q.slice == NULL ||
        q.value == NULL || q.arg == NULL)
        return tni_ref_nomem(c);
    for (int i = 0; i < s->n_states; i++) q.arg[i] = &q.state[i];
    for (int i = 0; i < s->n_scanned; i++) q.arg[s->n_states + i] = &q.slice[i];
    int64_t len = 0;
    TN_TRY(prepare(&q, &len));
    if ((uint64_t)len > c->max_trips)
        return tni_fail(c->err, TN_ELIMIT,
                        "more than %llu iterations (max_loop_trips)",
                        (unsigned long long)c->max_trips);
    tni_arena_init(&q.turn[0], c->out_arena->mem, 4096);
    tni_arena_init(&q.turn[1], c->out_arena->mem, 4096);
    const tn_status status =
        s->batched ? run_batched(&q, len) : run_plain(&q, len);
    tni_arena_fini(&q.turn[0]);
    tni_arena_fini(&q.turn[1]);
    return status;
}

/* Drops extent `axis`, and the batch axis before it when `batched`. */
static void drop_axis(tni_type *t, int axis, bool batched)
{
    int k = 0;
    for (int i = batched ? 1 : 0; i < t->rank; i++)
        if (i != axis) t->dims[k++] = t->dims[i];
    t->rank = k;
}

static tn_status infer_inputs(tni_infer *c, const spec *s, tni_type *in,
                              int64_t *len, int64_t *batch)
{
    for (int i = 0; i < s->body->n_inputs; i++) {
        if (!tni_infer_has(c, s->first + i)) continue;
        tni_type *t = &in[i];
        *t = *c->in[s->first + i];
        if (t->kind != TN_KIND_TENSOR || t->rank < 0) continue;
        const bool scanned = i >= s->n_states;
        int axis = -1;
        if (scanned) {
            TN_TRY(in_axis(&axis, s, i - s->n_states, t->rank, c->err));
            if (!tni_dim_equal(len, *len, t->dims[axis]))
                return tni_fail(c->err, TN_EINVAL,
                                "scanned inputs differ in length");
        } else if (!s->batched) {
            continue;
        }
        if (s->batched) {
            if (t->rank < 1)
                return tni_fail(c->err, TN_EINVAL, "input %d has no batch axis",
                                s->first + i);
            if (!tni_dim_equal(batch, *batch, t->dims[0]))
                return tni_fail(c->err, TN_EINVAL,
                                "batch sizes of the inputs differ");
        }
        drop_axis(t, axis, s->batched);
    }
    return TN_OK;
}

static tn_status infer_output(tni_infer *c, const spec *s, int o,
                              const tni_type *t, int64_t len, int64_t batch)
{
    if (t->kind == TN_KIND_NONE) return TN_OK;
    if (t->kind != TN_KIND_TENSOR)
        return tni_fail(c->err, TN_EINVAL, "output %d of the body is no tensor",
                        o);
    const bool scanned = o >= s->n_states;
    const int lead = s->batched ? 1 : 0;
    const int rank = t->rank + lead + (scanned ? 1 : 0);
    if (t->rank < 0 || rank > TN_MAX_RANK) {
        tni_infer_unranked(c, o, t->dtype);
        return TN_OK;
    }
    int axis = -1, k = 0;
    if (scanned) TN_TRY(out_axis(&axis, s, o - s->n_states, rank, c->err));
    int64_t dims[TN_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        if (i == axis)
            dims[i] = len;
        else if (i < lead)
            dims[i] = batch;
        else
            dims[i] = t->dims[k++];
    }
    return tni_infer_dims(c, o, t->dtype, rank, dims);
}

static tn_status infer(tni_infer *c)
{
    spec s;
    TN_TRY(read_spec(&s, c->node, c->n_in, c->err));
    if (c->n_out > s.body->n_outputs)
        return tni_fail(c->err, TN_EINVAL,
                        "the node has %d outputs, its body gives %d", c->n_out,
                        s.body->n_outputs);
    if (c->graph == NULL) return TN_OK;
    tni_type *in = TNI_NEW_ARRAY(c->arena, tni_type, s.body->n_inputs);
    tni_type *out = TNI_NEW_ARRAY(c->arena, tni_type, s.body->n_outputs + 1);
    if (in == NULL || out == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    int64_t len = TNI_DIM_UNKNOWN, batch = TNI_DIM_UNKNOWN;
    TN_TRY(infer_inputs(c, &s, in, &len, &batch));
    for (int round = 0; round < 4; round++) {
        memset(out, 0, (size_t)s.body->n_outputs * sizeof *out);
        TN_TRY(c->graph(c, s.body, in, s.body->n_inputs, out));
        bool stable = true;
        for (int i = 0; i < s.n_states; i++) {
            tni_type wide = in[i];
            if (out[i].kind == TN_KIND_NONE) continue;
            TN_TRY(tni_type_join(&wide, &in[i], &out[i], c->arena, c->err));
            if (tni_type_equal(&wide, &in[i])) continue;
            if (round > 1) wide.rank = -1;
            in[i] = wide;
            stable = false;
        }
        if (stable) break;
    }
    for (int i = 0; i < c->n_out; i++)
        TN_TRY(infer_output(c, &s, i, i < s.n_states ? &in[i] : &out[i], len,
                            batch));
    return TN_OK;
}

static const tni_arg in8[] = {
    {"sequence_lens", TNI_T(TN_I64), 0, TNI_OPTIONAL},
    {"initial_state_and_scan_inputs", 0, 0, TNI_VARIADIC | TNI_HETERO},
};
static const tni_arg in9[] = {
    {"initial_state_and_scan_inputs", 0, 0, TNI_VARIADIC | TNI_HETERO},
};
static const tni_arg out[] = {
    {"final_state_and_scan_outputs", 0, 0, TNI_VARIADIC | TNI_HETERO},
};
static const tni_attr_spec attrs8[] = {
    {"body", TNI_ATTR_GRAPH, "required"},
    {"directions", TNI_ATTR_INTS, NULL},
    {"num_scan_inputs", TNI_ATTR_INT, "required"},
};
static const tni_attr_spec attrs9[] = {
    {"body", TNI_ATTR_GRAPH, "required"},
    {"num_scan_inputs", TNI_ATTR_INT, "required"},
    {"scan_input_axes", TNI_ATTR_INTS, NULL},
    {"scan_input_directions", TNI_ATTR_INTS, NULL},
    {"scan_output_axes", TNI_ATTR_INTS, NULL},
    {"scan_output_directions", TNI_ATTR_INTS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 9,
     TNI_IN(in9),
     TNI_OUT(out),
     TNI_ATTRS(attrs9),
     .traits = TNI_DATA_SHAPED,
     .infer = infer,
     .ref = ref},
    {.since = 8,
     TNI_IN(in8),
     TNI_OUT(out),
     TNI_ATTRS(attrs8),
     .traits = TNI_DATA_SHAPED,
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_scan = {.domain = "",
                            .name = "Scan",
                            .summary = "runs a subgraph along an axis",
                            TNI_VERSIONS(versions)};
