/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_linear_classifier.c - ai.onnx.ml LinearClassifier
 *
 * Shapes:  x[N, F] or x[F] -> labels[N], scores[N, C]; one row of coefficients
 *          and two labels give two scores
 * Types:   f32, f64, i32, i64 (as float) -> string or i64, f32
 * Attrs:   post_transform; multi_class has no effect
 * Numeric: sums in double, rounded to float before the transform
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#LinearClassifier; the
 *          binary cases as ONNX Runtime has them
 */
#include "ops/ml.h"

typedef struct model {
    tni_labels labels;
    const float *coef, *icept;
    int n_coef, n_icept;
} model;

static void read_model(model *m, const tni_node *node)
{
    tni_labels_read(&m->labels, node, "classlabels_strings",
                    "classlabels_ints");
    m->coef = tni_attr_floats(node, "coefficients", &m->n_coef);
    m->icept = tni_attr_floats(node, "intercepts", &m->n_icept);
}

/* Rows of coefficients; unknown while F is and there are no intercepts. */
static tn_status count_rows(int64_t *rows, const model *m, int64_t f,
                            tn_err *err)
{
    *rows = m->n_icept > 0 ? m->n_icept : TNI_DIM_UNKNOWN;
    if (f < 0) return TN_OK;
    if (*rows < 0 && f > 0) *rows = m->n_coef / f;
    if (*rows < 1 || *rows > INT32_MAX || f > INT32_MAX ||
        *rows * f > m->n_coef)
        return tni_fail(err, TN_EINVAL,
                        "%d coefficients do not fit %lld features and %d "
                        "intercepts",
                        m->n_coef, (long long)f, m->n_icept);
    if (*rows > 1 && m->labels.n < *rows)
        return tni_fail(err, TN_EINVAL, "%lld class labels for %lld classes",
                        (long long)m->labels.n, (long long)*rows);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    model m;
    read_model(&m, c->node);
    int64_t n, f, rows;
    TN_TRY(tni_ml_infer_rows(c, 0, &n, &f));
    TN_TRY(count_rows(&rows, &m, f, c->err));
    if (rows == 1 && m.labels.n == 2) rows = 2;
    if (c->n_out > 0)
        TN_TRY(tni_infer_dims(c, 0, tni_labels_dtype(&m.labels), 1, &n));
    if (c->n_out > 1)
        TN_TRY(tni_infer_dims(c, 1, TN_F32, 2, (int64_t[]){n, rows}));
    return TN_OK;
}

static void put_label(const tni_labels *l, tni_tensor *y, int64_t i,
                      const float *s, int64_t rows)
{
    int64_t best = 0;
    if (rows > 1) {
        for (int64_t k = 1; k < rows; k++)
            if (s[k] > s[best]) best = k;
        tni_labels_put(l, y, i, best);
        return;
    }
    const bool yes = s[0] > 0.0f;
    if (l->n == 2)
        tni_labels_put(l, y, i, yes);
    else if (y->dtype == TN_STRING)
        TNI_DATA(tn_string, y)[i] = (tn_string){yes ? "1" : "0", 1};
    else
        TNI_DATA(int64_t, y)[i] = yes;
}

static tn_status ref(tni_ref *c)
{
    model m;
    read_model(&m, c->node);
    int64_t n, f, rows;
    TN_TRY(tni_ml_rows(&n, &f, c->in[0], c->err));
    TN_TRY(count_rows(&rows, &m, f, c->err));
    tni_post post;
    TN_TRY(tni_post_parse(&post, c->node, c->err));
    const float *x = tni_ml_floats(c, c->in[0]);
    const bool second = rows == 1 && m.labels.n == 2;
    float *s = tni_ref_scratch(c, (size_t)(rows + 1) * sizeof *s);
    if (x == NULL || s == NULL) return tni_ref_nomem(c);
    const int64_t width = second ? 2 : rows;
    TN_TRY(tni_ref_output(c, 0, tni_labels_dtype(&m.labels), 1, &n));
    TN_TRY(tni_ref_output(c, 1, TN_F32, 2, (int64_t[]){n, width}));
    for (int64_t i = 0; i < n; i++, x += f) {
        for (int64_t k = 0; k < rows; k++) {
            const double first = m.n_icept > 0 ? (double)m.icept[k] : 0.0;
            s[k] = (float)(first + tni_ml_dot(x, m.coef + k * f, f));
        }
        if (tni_ref_wants(c, 0)) put_label(&m.labels, c->out[0], i, s, rows);
        if (!tni_ref_wants(c, 1)) continue;
        if (second)
            tni_post_second(post, TNI_SECOND_REST, s);
        else
            tni_post_apply(post, s, rows);
        float *z = TNI_DATA(float, c->out[1]) + i * width;
        for (int64_t k = 0; k < width; k++) z[k] = s[k];
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 0, 0}};
static const tni_arg out[] = {
    {"Y", TNI_STRINGS | TNI_T(TN_I64), 0, TNI_OPTIONAL},
    {"Z", TNI_T(TN_F32), 0, TNI_OPTIONAL},
};
static const tni_attr_spec attrs[] = {
    {"classlabels_ints", TNI_ATTR_INTS, NULL},
    {"classlabels_strings", TNI_ATTR_STRINGS, NULL},
    {"coefficients", TNI_ATTR_FLOATS, "required"},
    {"intercepts", TNI_ATTR_FLOATS, NULL},
    {"multi_class", TNI_ATTR_INT, "0"},
    {"post_transform", TNI_ATTR_STRING, "NONE"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_linear_classifier = {
    .domain = "ai.onnx.ml",
    .name = "LinearClassifier",
    .summary = "labels and scores of a linear model",
    TNI_VERSIONS(versions)};
