/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_einsum.c - ONNX Einsum, opsets 12, 28 (bfloat16)
 *
 * Shapes:  any number of operands; terms of letters and one ellipsis each; a
 *          letter repeated in a term takes the diagonal; without "->" the
 *          output has the ellipsis and the letters that occur once, sorted
 * Numeric: floats sum in double; integers wrap. f32 with two operands runs as
 *          a batched multiplication (see contract_plan).
 * Errors:  EINVAL malformed equation, rank or extent that does not fit
 * Source:  github.com/onnx/onnx docs/Operators.md#Einsum
 */
#include "base/checked.h"
#include "kernels/kernels.h"
#include "ops/nn.h"

#include <string.h>

#define T12 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16) | TNI_INTS)

static const tni_arg in_28[] = {
    {"Inputs", TNI_FLOATS | TNI_INTS, 'T', TNI_VARIADIC}};
static const tni_arg out_28[] = {{"Output", TNI_FLOATS | TNI_INTS, 'T', 0}};
static const tni_arg in_12[] = {{"Inputs", T12, 'T', TNI_VARIADIC}};
static const tni_arg out_12[] = {{"Output", T12, 'T', 0}};
static const tni_attr_spec attrs_12[] = {
    {"equation", TNI_ATTR_STRING, "required"}};

/* --- the equation ----------------------------------------------------------- */

/* Labels: 0 … 25 lower case, 26 … 51 upper case, then axes of the ellipsis
 * counted from its right end. */
enum { LETTERS = 52, LABELS = LETTERS + TN_MAX_RANK };

typedef struct equation {
    const char *text, *end; /* the operand side */
    const char *out, *out_end;
    bool explicit_out;
} equation;

typedef struct labels {
    int64_t ext[LABELS]; /* 1 until seen; unknown and symbols allowed */
    int count[LABELS];   /* occurrences on the operand side */
    int n_ellipsis;      /* most axes an ellipsis stands for */
    int n_out;
    int out[TN_MAX_RANK];
} labels;

static void split(equation *e, tn_string s)
{
    e->text = s.ptr;
    e->end = e->out = e->out_end = s.ptr + s.len;
    e->explicit_out = false;
    for (size_t i = 0; i + 1 < s.len; i++)
        if (s.ptr[i] == '-' && s.ptr[i + 1] == '>') {
            e->end = s.ptr + i;
            e->out = s.ptr + i + 2;
            e->explicit_out = true;
            return;
        }
}

static int letter(char c)
{
    if (c >= 'a' && c <= 'z') return c - 'a';
    if (c >= 'A' && c <= 'Z') return c - 'A' + 26;
    return -1;
}

/* The next term as labels per axis; `rank` tells what an ellipsis stands for,
 * -1: what n_ellipsis says. Moves *p past the comma. */
static tn_status term(const char **p, const char *end, int rank, int n_ellipsis,
                      int *out, int *n, tn_err *err)
{
    const char *at = *p;
    int letters = 0, dots = 0;
    for (; at < end && *at != ','; at++) {
        if (*at == '.')
            dots++;
        else if (*at != ' ' && letter(*at) < 0)
            return tni_fail(err, TN_EINVAL, "equation has a byte 0x%02x",
                            (unsigned)(unsigned char)*at);
        else if (*at != ' ')
            letters++;
    }
    if (dots != 0 && dots != 3)
        return tni_fail(err, TN_EINVAL, "equation has %d dots in a term", dots);
    const int ell = dots == 0 ? 0 : rank < 0 ? n_ellipsis : rank - letters;
    if (ell < 0 || letters + ell > TN_MAX_RANK ||
        (rank >= 0 && letters + ell != rank))
        return tni_fail(err, TN_EINVAL,
                        "a term of %d letters does not fit rank %d", letters,
                        rank);
    *n = 0;
    dots = 0;
    for (const char *q = *p; q < at; q++) {
        if (*q == ' ') continue;
        if (*q == '.') {
            if (dots++ == 0)
                for (int k = ell; k > 0; k--) out[(*n)++] = LETTERS + k - 1;
        } else {
            out[(*n)++] = letter(*q);
        }
    }
    *p = at < end ? at + 1 : at;
    return TN_OK;
}

static tn_status add_operand(labels *l, const int *axes, int n,
                             const int64_t *dims, tn_err *err)
{
    int ell = 0;
    for (int i = 0; i < n; i++) {
        const int a = axes[i];
        if (a >= LETTERS) ell++;
        if (l->count[a] == 0) {
            l->ext[a] = dims[i];
        } else if (!tni_dim_broadcast(&l->ext[a], l->ext[a], dims[i])) {
            return tni_fail(err, TN_EINVAL, "a label has extents %lld and %lld",
                            (long long)l->ext[a], (long long)dims[i]);
        }
        l->count[a]++;
    }
    if (ell > l->n_ellipsis) l->n_ellipsis = ell;
    return TN_OK;
}

static tn_status add_output(labels *l, const equation *e, tn_err *err)
{
    bool seen[LABELS] = {false};
    const char *p = e->out;
    if (!e->explicit_out) {
        l->n_out = 0;
        for (int k = l->n_ellipsis; k > 0; k--)
            l->out[l->n_out++] = LETTERS + k - 1;
        /* Sorted by character code: upper case first. */
        for (int i = 0; i < LETTERS; i++) {
            const int a = (i + 26) % LETTERS;
            if (l->count[a] != 1) continue;
            if (l->n_out == TN_MAX_RANK)
                return tni_fail(err, TN_ELIMIT, "output rank is too large");
            l->out[l->n_out++] = a;
        }
        return TN_OK;
    }
    TN_TRY(term(&p, e->out_end, -1, l->n_ellipsis, l->out, &l->n_out, err));
    if (p != e->out_end)
        return tni_fail(err, TN_EINVAL, "equation has two outputs");
    for (int i = 0; i < l->n_out; i++) {
        if (l->count[l->out[i]] == 0 && l->out[i] < LETTERS)
            return tni_fail(err, TN_EINVAL, "an output label is in no operand");
        if (seen[l->out[i]])
            return tni_fail(err, TN_EINVAL, "an output label is repeated");
        seen[l->out[i]] = true;
    }
    return TN_OK;
}

static void begin(equation *e, labels *l, const tni_node *node)
{
    split(e, tni_attr_string(node, "equation"));
    memset(l, 0, sizeof *l);
    for (int i = 0; i < LABELS; i++) l->ext[i] = 1;
}

/* --- infer ------------------------------------------------------------------- */

static tn_status einsum_infer(tni_infer *c)
{
    int axes[TN_MAX_RANK], n = 0;
    int64_t dims[TN_MAX_RANK];
    equation e;
    labels l;
    begin(&e, &l, c->node);
    for (const char *p = e.text; p < e.end; p++) n += *p == ',';
    if (n + 1 != c->n_in)
        return tni_fail(c->err, TN_EINVAL,
                        "equation has %d terms for %d inputs", n + 1, c->n_in);
    for (int i = 0; i < c->n_in; i++) {
        if (!tni_infer_ranked(c, i)) {
            tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
            return TN_OK;
        }
        TN_TRY(term(&e.text, e.end, c->in[i]->rank, 0, axes, &n, c->err));
        TN_TRY(add_operand(&l, axes, n, c->in[i]->dims, c->err));
    }
    TN_TRY(add_output(&l, &e, c->err));
    for (int i = 0; i < l.n_out; i++) dims[i] = l.ext[l.out[i]];
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), l.n_out, dims);
}

/* --- reference ----------------------------------------------------------------- */

/* The loop nest: output axes, then summed ones. */
typedef struct nest {
    int n, n_out;
    int64_t ext[LABELS];
    int64_t *stride; /* [operand][axis] */
    int64_t out_len, sum_len;
} nest;

static tn_status nest_make(nest *s, tni_ref *c, const labels *l, equation *e)
{
    int at[LABELS];
    *s = (nest){.n_out = l->n_out, .out_len = 1, .sum_len = 1};
    for (int a = 0; a < LABELS; a++) at[a] = -1;
    for (int i = 0; i < l->n_out; i++) at[l->out[i]] = s->n++;
    for (int a = 0; a < LABELS; a++)
        if (l->count[a] > 0 && at[a] < 0) at[a] = s->n++;
    for (int a = 0; a < LABELS; a++) {
        if (at[a] < 0) continue;
        s->ext[at[a]] = l->ext[a];
        if (!(at[a] < s->n_out
                  ? tni_mul_i64(s->out_len, l->ext[a], &s->out_len)
                  : tni_mul_i64(s->sum_len, l->ext[a], &s->sum_len)))
            return tni_fail(c->err, TN_ELIMIT, "the loop is too long");
    }
    s->stride = tni_ref_scratch(c, (size_t)c->n_in * (size_t)(s->n + 1) *
                                       sizeof *s->stride);
    if (s->stride == NULL) return tni_ref_nomem(c);
    for (int i = 0; i < c->n_in; i++) {
        int64_t *const st = s->stride + (size_t)i * (size_t)s->n;
        int axes[TN_MAX_RANK], n = 0;
        int64_t step = 1;
        TN_TRY(term(&e->text, e->end, c->in[i]->rank, 0, axes, &n, c->err));
        for (int k = 0; k < s->n; k++) st[k] = 0;
        for (int k = n - 1; k >= 0; k--) {
            if (c->in[i]->dims[k] != 1) st[at[axes[k]]] += step;
            step *= c->in[i]->dims[k];
        }
    }
    return TN_OK;
}

/* Advances an odometer over axes [from, to) and every operand's offset. */
static void advance(const nest *s, int n_in, int from, int to, int64_t *pos,
                    int64_t *off)
{
    for (int k = to - 1; k >= from; k--) {
        if (++pos[k] < s->ext[k]) {
            for (int i = 0; i < n_in; i++) off[i] += s->stride[i * s->n + k];
            return;
        }
        pos[k] = 0;
        for (int i = 0; i < n_in; i++)
            off[i] -= s->stride[i * s->n + k] * (s->ext[k] - 1);
    }
}

#define DEFINE_CONTRACT(NAME, T)                                               \
    static void NAME(const nest *s, int n_in, const T *const *x, T *y,         \
                     int64_t *off)                                             \
    {                                                                          \
        int64_t pos[LABELS] = {0};                                             \
        for (int i = 0; i < n_in; i++) off[i] = 0;                             \
        for (int64_t o = 0; o < s->out_len; o++) {                             \
            T sum = 0;                                                         \
            for (int64_t r = 0; r < s->sum_len; r++) {                         \
                T v = x[0][off[0]];                                            \
                for (int i = 1; i < n_in; i++) v *= x[i][off[i]];              \
                sum += v;                                                      \
                advance(s, n_in, s->n_out, s->n, pos, off);                    \
            }                                                                  \
            y[o] = sum;                                                        \
            advance(s, n_in, 0, s->n_out, pos, off);                           \
        }                                                                      \
    }

DEFINE_CONTRACT(contract_f64, double)
DEFINE_CONTRACT(contract_u64, uint64_t)

static uint64_t *load_u64(tni_ref *c, const tni_tensor *t)
{
    uint64_t *const out =
        tni_ref_scratch(c, (size_t)(t->len + 1) * sizeof *out);
    if (out == NULL) return NULL;
    if (t->dtype == TN_U64)
        memcpy(out, t->data, (size_t)t->len * sizeof *out);
    else
        for (int64_t i = 0; i < t->len; i++)
            out[i] = (uint64_t)tni_get_i64(t, i);
    return out;
}

static void store_u64(tni_tensor *t, const uint64_t *y)
{
    for (int64_t i = 0; i < t->len; i++) switch (tn_dtype_size(t->dtype)) {
        case 1: TNI_DATA(uint8_t, t)[i] = (uint8_t)y[i]; break;
        case 2: TNI_DATA(uint16_t, t)[i] = (uint16_t)y[i]; break;
        case 4: TNI_DATA(uint32_t, t)[i] = (uint32_t)y[i]; break;
        default: TNI_DATA(uint64_t, t)[i] = y[i]; break;
        }
}

static tn_status einsum_ref(tni_ref *c)
{
    const tn_dtype t = c->in[0]->dtype;
    int axes[TN_MAX_RANK], n = 0;
    int64_t dims[TN_MAX_RANK], *off;
    const void **x;
    void *y;
    equation e, again;
    labels l;
    nest s;
    begin(&e, &l, c->node);
    again = e;
    for (int i = 0; i < c->n_in; i++) {
        TN_TRY(term(&e.text, e.end, c->in[i]->rank, 0, axes, &n, c->err));
        TN_TRY(add_operand(&l, axes, n, c->in[i]->dims, c->err));
    }
    TN_TRY(add_output(&l, &e, c->err));
    for (int i = 0; i < l.n_out; i++) dims[i] = l.ext[l.out[i]];
    TN_TRY(tni_ref_output(c, 0, t, l.n_out, dims));
    TN_TRY(nest_make(&s, c, &l, &again));
    x = tni_ref_scratch(c, (size_t)c->n_in * sizeof *x);
    off = tni_ref_scratch(c, (size_t)c->n_in * sizeof *off);
    y = tni_ref_scratch(c, (size_t)(s.out_len + 1) * sizeof(double));
    if (x == NULL || off == NULL || y == NULL) return tni_ref_nomem(c);
    for (int i = 0; i < c->n_in; i++) {
        if (tni_is_float(t)) {
            const double *p = NULL;
            TN_TRY(tni_nn_load(c, c->in[i], &p));
            x[i] = p;
        } else {
            x[i] = load_u64(c, c->in[i]);
            if (x[i] == NULL) return tni_ref_nomem(c);
        }
    }
    if (tni_is_float(t)) {
        contract_f64(&s, c->n_in, (const double *const *)x, y, off);
        tni_from_f64(c->out[0]->data, t, y, s.out_len);
    } else {
        contract_u64(&s, c->n_in, (const uint64_t *const *)x, y, off);
        store_u64(c->out[0], y);
    }
    return TN_OK;
}

/* --- f32 plan: two operands ------------------------------------------------------ */

/*
 * Labels of "A, B -> C" fall into four groups: batch (A, B, C), rows (A, C),
 * columns (B, C) and inner (A, B). Gathering A as [batch, rows, inner] and B
 * as [batch, inner, columns] makes C a batched multiplication, scattered to
 * its own order. Diagonals, broadcast extents and labels of one operand alone
 * are left to the reference.
 */
typedef struct contract_state {
    int n[4]; /* axes per group: batch, rows, columns, inner */
    int64_t ext[4][LABELS], a[4][LABELS], b[4][LABELS], c[4][LABELS];
    int64_t len[4];
    tni_gemm_plan plan;
    const struct tni_kernels *kernels;
    size_t a_at, b_at, c_at, gemm_at; /* floats */
} contract_state;

enum { BATCH, ROWS, COLS, INNER };

static int64_t offset(const contract_state *st, int g,
                      const int64_t (*stride)[LABELS], int64_t pos)
{
    int64_t off = 0;
    for (int i = st->n[g] - 1; i >= 0; i--) {
        off += pos % st->ext[g][i] * stride[g][i];
        pos /= st->ext[g][i];
    }
    return off;
}

static void gather(const contract_state *st, const float *x,
                   const int64_t (*stride)[LABELS], int g, int h, float *out)
{
    for (int64_t b = 0; b < st->len[BATCH]; b++) {
        const float *const xb = x + offset(st, BATCH, stride, b);
        for (int64_t i = 0; i < st->len[g]; i++) {
            const float *const xi = xb + offset(st, g, stride, i);
            const int last = st->n[h] - 1;
            const int64_t n = last < 0 ? 1 : st->ext[h][last];
            const int64_t step = last < 0 ? 0 : stride[h][last];
            for (int64_t j = 0; j < st->len[h]; j += n) {
                const float *const xj = xi + offset(st, h, stride, j);
                for (int64_t k = 0; k < n; k++) *out++ = xj[k * step];
            }
        }
    }
}

static void contract_run(const tni_run *r)
{
    const contract_state *const st = (const contract_state *)r->state;
    float *const scratch = (float *)r->scratch;
    float *const a = scratch + st->a_at, *const b = scratch + st->b_at;
    float *const c = scratch + st->c_at;
    const int64_t m = st->len[ROWS], n = st->len[COLS], k = st->len[INNER];
    const tni_epilogue epi = TNI_EPILOGUE_NONE;
    gather(st, TNI_CDATA(float, r->in[0]), st->a, ROWS, INNER, a);
    gather(st, TNI_CDATA(float, r->in[1]), st->b, INNER, COLS, b);
    for (int64_t u = 0; u < st->len[BATCH]; u++) {
        const tni_gemm g = {.m = (size_t)m,
                            .n = (size_t)n,
                            .k = (size_t)k,
                            .a = a + u * m * k,
                            .b = b + u * k * n,
                            .lda = (size_t)k,
                            .ldb = (size_t)n,
                            .c = c + u * m * n,
                            .ldc = (size_t)n};
        tni_gemm_run(&st->kernels->gemm, &st->plan, &g, &epi,
                     scratch + st->gemm_at, r->par);
    }
    for (int64_t u = 0; u < st->len[BATCH]; u++)
        for (int64_t i = 0; i < m; i++) {
            float *const y = TNI_DATA(float, r->out[0]) +
                             offset(st, BATCH, st->c, u) +
                             offset(st, ROWS, st->c, i);
            const int last = st->n[COLS] - 1;
            const int64_t run = last < 0 ? 1 : st->ext[COLS][last];
            const int64_t step = last < 0 ? 0 : st->c[COLS][last];
            const float *p = c + (u * m + i) * n;
            for (int64_t j = 0; j < n; j += run) {
                float *const to = y + offset(st, COLS, st->c, j);
                for (int64_t q = 0; q < run; q++) to[q * step] = *p++;
            }
        }
}

/* Strides of a dense operand by label, 0 where it lacks one; false on a
 * diagonal or a broadcast extent. */
static bool strides_of(int64_t *out, const labels *l, const int *axes, int n)
{
    int64_t step = 1;
    for (int i = 0; i < LABELS; i++) out[i] = 0;
    for (int i = n - 1; i >= 0; i--) {
        if (out[axes[i]] != 0) return false;
        out[axes[i]] = step;
        step *= l->ext[axes[i]];
    }
    return true;
}

static bool group_labels(contract_state *st, const labels *l, const int64_t *a,
                         const int64_t *b, const int64_t *c)
{
    for (int g = 0; g < 4; g++) st->len[g] = 1;
    /* In the order of the output, so that scattering runs along it. */
    for (int i = 0; i < l->n_out + LABELS; i++) {
        const int x = i < l->n_out ? l->out[i] : i - l->n_out;
        const bool ina = a[x] != 0, inb = b[x] != 0, inc = c[x] != 0;
        int g;
        if (i >= l->n_out && inc) continue;
        if (!ina && !inb) {
            if (inc) return false;
            continue;
        }
        if (inc)
            g = ina && inb ? BATCH : ina ? ROWS : COLS;
        else if (ina && inb)
            g = INNER;
        else
            return false;
        st->ext[g][st->n[g]] = l->ext[x];
        st->a[g][st->n[g]] = a[x];
        st->b[g][st->n[g]] = b[x];
        st->c[g][st->n[g]++] = c[x];
        st->len[g] *= l->ext[x];
    }
    return true;
}

static bool room(size_t *at, size_t *where, int64_t x, int64_t y, int64_t z)
{
    int64_t n = 0;
    size_t len = 0;
    *where = *at;
    return tni_mul_i64(x, y, &n) && tni_mul_i64(n, z, &n) &&
           tni_to_size(n, &len) && tni_add_size(*at, len, at) &&
           tni_align_up(*at, 16, at);
}

static tn_status contract_plan(tni_plan *p)
{
    int64_t sa[LABELS], sb[LABELS], sc[LABELS];
    int axes[TN_MAX_RANK], n = 0;
    contract_state *st;
    size_t at = 0, bytes = 0;
    equation e;
    labels l;
    if (p->n_in != 2 || p->in[0]->dtype != TN_F32 || p->kernels == NULL)
        return TN_OK;
    begin(&e, &l, p->node);
    const char *const text = e.text;
    for (int i = 0; i < 2; i++) {
        TN_TRY(term(&e.text, e.end, p->in[i]->rank, 0, axes, &n, p->err));
        TN_TRY(add_operand(&l, axes, n, p->in[i]->dims, p->err));
    }
    TN_TRY(add_output(&l, &e, p->err));
    e.text = text;
    for (int i = 0; i < 2; i++) {
        TN_TRY(term(&e.text, e.end, p->in[i]->rank, 0, axes, &n, p->err));
        for (int k = 0; k < n; k++)
            if (l.ext[axes[k]] != p->in[i]->dims[k] || l.ext[axes[k]] == 0)
                return TN_OK;
        if (!strides_of(i == 0 ? sa : sb, &l, axes, n)) return TN_OK;
    }
    if (!strides_of(sc, &l, l.out, l.n_out)) return TN_OK;
    st = TNI_NEW(p->arena, contract_state);
    if (st == NULL) return tni_fail(p->err, TN_ENOMEM, "out of memory");
    if (!group_labels(st, &l, sa, sb, sc)) return TN_OK;
    const tni_gemm g = {.m = (size_t)st->len[ROWS],
                        .n = (size_t)st->len[COLS],
                        .k = (size_t)st->len[INNER],
                        .lda = (size_t)st->len[INNER],
                        .ldb = (size_t)st->len[COLS],
                        .ldc = (size_t)st->len[COLS]};
    tni_gemm_plan_init(&st->plan, &p->kernels->gemm, &g);
    st->kernels = p->kernels;
    if (!room(&at, &st->a_at, st->len[BATCH], st->len[ROWS], st->len[INNER]) ||
        !room(&at, &st->b_at, st->len[BATCH], st->len[INNER], st->len[COLS]) ||
        !room(&at, &st->c_at, st->len[BATCH], st->len[ROWS], st->len[COLS]) ||
        !tni_mul_size(st->plan.scratch_len, (size_t)p->n_workers, &bytes) ||
        !tni_add_size(at, bytes, &bytes) ||
        !tni_mul_size(bytes, sizeof(float), &bytes))
        return TN_OK;
    st->gemm_at = at;
    p->scratch_bytes = bytes;
    p->state = st;
    p->run = contract_run;
    return TN_OK;
}

static const tni_op_version einsum_versions[] = {
    {.since = 28,
     TNI_IN(in_28),
     TNI_OUT(out_28),
     TNI_ATTRS(attrs_12),
     .infer = einsum_infer,
     .ref = einsum_ref,
     .plan = contract_plan},
    {.since = 12,
     TNI_IN(in_12),
     TNI_OUT(out_12),
     TNI_ATTRS(attrs_12),
     .infer = einsum_infer,
     .ref = einsum_ref,
     .plan = contract_plan},
};

const tni_op tni_op_einsum = {
    .domain = "",
    .name = "Einsum",
    .summary = "Sums of products over labelled axes.",
    TNI_VERSIONS(einsum_versions),
};
