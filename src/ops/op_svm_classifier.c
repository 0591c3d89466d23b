/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_svm_classifier.c - ai.onnx.ml SVMClassifier
 *
 * Shapes:  x[N, F] or x[F] -> labels[N], scores[N, K]: K classes when there
 *          are probabilities or two classes, else one score for every pair
 * Types:   f32, f64, i32, i64 (as float) -> string or i64, f32
 * Attrs:   vectors_per_class absent means a linear model, one row of
 *          coefficients a class
 * Numeric: kernel values in float, their sums in double
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#SVMClassifier; votes,
 *          ties and score layouts as ONNX Runtime has them; probabilities by
 *          Wu, Lin and Weng, "Probability estimates for multi-class
 *          classification by pairwise coupling", 2004, algorithm 2
 */
#include "ops/svm.h"

#include <math.h>
#include <string.h>

typedef struct model {
    tni_labels labels;
    tni_svm_kernel kernel;
    tni_post post;
    int n_coef, n_rho, n_prob, n_vec;
    const float *coef, *rho, *prob_a, *prob_b, *vec;
    const int64_t *per_class; /* NULL: linear */
    int64_t n_classes, n_pairs, n_supports;
    bool all_positive;
    int64_t width; /* of the scores */
} model;

static tn_status read_model(model *m, const tni_node *node, tn_err *err)
{
    int n_per = 0, n_prob_b = 0;
    memset(m, 0, sizeof *m);
    tni_labels_read(&m->labels, node, "classlabels_strings",
                    "classlabels_ints");
    TN_TRY(tni_svm_kernel_read(&m->kernel, node, err));
    TN_TRY(tni_post_parse(&m->post, node, err));
    m->coef = tni_attr_floats(node, "coefficients", &m->n_coef);
    m->rho = tni_attr_floats(node, "rho", &m->n_rho);
    m->prob_a = tni_attr_floats(node, "prob_a", &m->n_prob);
    m->prob_b = tni_attr_floats(node, "prob_b", &n_prob_b);
    m->vec = tni_attr_floats(node, "support_vectors", &m->n_vec);
    m->per_class = tni_attr_ints(node, "vectors_per_class", &n_per);
    const int64_t k = m->labels.n;
    m->n_classes = k;
    if (k < 1 || k >= 65536 || m->n_coef < 1 || m->n_rho < 1 ||
        m->n_prob != n_prob_b)
        return tni_fail(err, TN_EINVAL,
                        "%lld class labels, %d coefficients, %d rho, %d "
                        "prob_a, %d prob_b",
                        (long long)k, m->n_coef, m->n_rho, m->n_prob, n_prob_b);
    m->n_pairs = k * (k - 1) / 2;
    for (int i = 0; i < n_per; i++) {
        if (m->per_class[i] < 0 || m->per_class[i] > m->n_coef)
            return tni_fail(err, TN_EINVAL, "vectors_per_class[%d] = %lld", i,
                            (long long)m->per_class[i]);
        m->n_supports += m->per_class[i];
    }
    m->width = k;
    if (m->n_supports == 0) {
        m->per_class = NULL;
        m->kernel.fn = TNI_SVM_LINEAR;
    } else {
        if (n_per != k || k < 2 || (k - 1) * m->n_supports > m->n_coef ||
            m->n_rho < m->n_pairs || (m->n_prob > 0 && m->n_prob < m->n_pairs))
            return tni_fail(err, TN_EINVAL,
                            "%d coefficients, %d rho, %d prob_a do not fit "
                            "%lld classes and %lld support vectors",
                            m->n_coef, m->n_rho, m->n_prob, (long long)k,
                            (long long)m->n_supports);
        if (m->n_prob == 0) m->width = k > 2 ? m->n_pairs : 2;
    }
    m->all_positive = true;
    for (int i = 0; i < m->n_coef; i++)
        if (!(m->coef[i] >= 0.0f)) m->all_positive = false;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    model m;
    TN_TRY(read_model(&m, c->node, c->err));
    int64_t n, f;
    TN_TRY(tni_ml_infer_rows(c, 0, &n, &f));
    if (c->n_out > 0)
        TN_TRY(tni_infer_dims(c, 0, tni_labels_dtype(&m.labels), 1, &n));
    if (c->n_out > 1)
        TN_TRY(tni_infer_dims(c, 1, TN_F32, 2, (int64_t[]){n, m.width}));
    return TN_OK;
}

/* One score and one vote for every pair of classes. Row j - 1 of coefficients
 * holds what the vectors of class i < j weigh against j, row i the reverse. */
static void pair_scores(const model *m, const float *kernels, float *scores,
                        int64_t *votes)
{
    const int64_t s = m->n_supports;
    int64_t pair = 0, at_i = 0;
    memset(votes, 0, (size_t)m->n_classes * sizeof *votes);
    for (int64_t i = 0; i + 1 < m->n_classes; at_i += m->per_class[i++]) {
        int64_t at_j = at_i + m->per_class[i];
        for (int64_t j = i + 1; j < m->n_classes; at_j += m->per_class[j++]) {
            const float *wi = m->coef + (j - 1) * s + at_i;
            const float *wj = m->coef + i * s + at_j;
            double sum = tni_ml_dot(wi, kernels + at_i, m->per_class[i]);
            sum += tni_ml_dot(wj, kernels + at_j, m->per_class[j]);
            sum += (double)m->rho[pair];
            scores[pair++] = (float)sum;
            votes[sum > 0.0 ? i : j]++;
        }
    }
}

/*
 * Class probabilities p that minimise sum (r_ji p_i - r_ij p_j)^2, by the
 * fixed point iteration of the paper; r[i * k + j] is P(i | i or j). q holds
 * k * k + k floats of work space.
 */
static void couple(const float *r, int64_t k, float *p, float *q)
{
    float *qp = q + k * k;
    const float eps = 0.005f / (float)k;
    for (int64_t i = 0; i < k; i++) {
        p[i] = 1.0f / (float)k;
        float diagonal = 0.0f;
        for (int64_t j = 0; j < k; j++) {
            if (j == i) continue;
            diagonal += r[j * k + i] * r[j * k + i];
            q[i * k + j] = -r[j * k + i] * r[i * k + j];
        }
        q[i * k + i] = diagonal;
    }
    for (int round = 0; round < 100; round++) {
        float pqp = 0.0f, worst = 0.0f;
        for (int64_t i = 0; i < k; i++) {
            qp[i] = 0.0f;
            for (int64_t j = 0; j < k; j++) qp[i] += q[i * k + j] * p[j];
            pqp += p[i] * qp[i];
        }
        for (int64_t i = 0; i < k; i++)
            worst = fmaxf(worst, fabsf(qp[i] - pqp));
        if (worst < eps) break;
        for (int64_t i = 0; i < k; i++) {
            const float qii = q[i * k + i];
            const float d = (pqp - qp[i]) / qii, scale = 1.0f + d;
            p[i] += d;
            pqp = (pqp + d * (d * qii + 2.0f * qp[i])) / scale / scale;
            for (int64_t j = 0; j < k; j++) {
                qp[j] = (qp[j] + d * q[i * k + j]) / scale;
                p[j] /= scale;
            }
        }
    }
}

static void probabilities(const model *m, const float *scores, float *p,
                          float *work)
{
    const int64_t k = m->n_classes;
    float *r = work;
    int64_t pair = 0;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = i + 1; j < k; j++, pair++) {
            const float v =
                1.0f - tni_ml_logistic(scores[pair] * m->prob_a[pair] +
                                       m->prob_b[pair]);
            const float in = fminf(fmaxf(v, 1.0e-7f), 1.0f - 1.0e-7f);
            r[i * k + j] = in;
            r[j * k + i] = 1.0f - in;
        }
    }
    couple(r, k, p, work + k * k);
}

/* The label of two classes without probabilities depends on the best score of
 * a linear model, or on the vote alone. */
static int64_t choose(const model *m, int64_t best, float weight)
{
    if (m->n_classes != 2 || m->n_prob > 0) return best;
    if (m->all_positive && (double)weight >= 0.5) return 1;
    if (!m->all_positive && weight > 0.0f) return 1;
    return best;
}

typedef struct space {
    float *kernels, *pairs, *work;
    int64_t *votes;
} space;

static tn_status get_space(tni_ref *c, const model *m, space *s)
{
    const int64_t k = m->n_classes;
    s->kernels = TNI_NEW_ARRAY(c->scratch, float, m->n_supports + 1);
    s->pairs = TNI_NEW_ARRAY(c->scratch, float, m->n_pairs + 1);
    s->work = m->n_prob > 0
                  ? TNI_NEW_ARRAY(c->scratch, float, 2 * k * k + k + 1)
                  : s->pairs;
    s->votes = TNI_NEW_ARRAY(c->scratch, int64_t, k + 1);
    if (s->kernels == NULL || s->pairs == NULL || s->work == NULL ||
        s->votes == NULL)
        return tni_ref_nomem(c);
    return TN_OK;
}

/* Fills one row of scores, returns the label's position. */
static int64_t classify(const model *m, const float *x, int64_t f, float *z,
                        const space *s)
{
    const int64_t k = m->n_classes;
    int64_t best = 0;
    if (m->per_class == NULL) {
        for (int64_t i = 0; i < k; i++) {
            z[i] =
                (float)((double)m->rho[0] + tni_ml_dot(x, m->coef + i * f, f));
            if (z[i] > z[best]) best = i;
        }
        best = choose(m, best, z[best]);
        tni_post_apply(m->post, z, k);
        return best;
    }
    for (int64_t i = 0; i < m->n_supports; i++)
        s->kernels[i] = tni_svm_kernel_at(&m->kernel, x, m->vec + i * f, f);
    pair_scores(m, s->kernels, s->pairs, s->votes);
    for (int64_t i = 1; i < k; i++)
        if (s->votes[i] > s->votes[best]) best = i;
    if (m->n_prob > 0) {
        probabilities(m, s->pairs, z, s->work);
        tni_post_apply(m->post, z, k);
    } else if (k > 2) {
        memcpy(z, s->pairs, (size_t)m->n_pairs * sizeof *z);
        tni_post_apply(m->post, z, m->n_pairs);
    } else {
        /* One score becomes two. */
        z[0] = s->pairs[0];
        tni_post_second(m->post,
                        m->post == TNI_POST_NONE ? TNI_SECOND_NEGATIVE
                                                 : TNI_SECOND_REST,
                        z);
    }
    return choose(m, best, 0.0f);
}

static tn_status ref(tni_ref *c)
{
    model m;
    TN_TRY(read_model(&m, c->node, c->err));
    int64_t n, f;
    TN_TRY(tni_ml_rows(&n, &f, c->in[0], c->err));
    if (m.per_class != NULL ? m.n_vec / m.n_supports != f
                            : m.n_coef != m.n_classes * f)
        return tni_fail(c->err, TN_EINVAL,
                        "%d support vector entries and %d coefficients do not "
                        "fit %lld features",
                        m.n_vec, m.n_coef, (long long)f);
    space s;
    TN_TRY(get_space(c, &m, &s));
    const float *x = tni_ml_floats(c, c->in[0]);
    float *row = TNI_NEW_ARRAY(c->scratch, float, m.width + 1);
    if (x == NULL || row == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_ref_output(c, 0, tni_labels_dtype(&m.labels), 1, &n));
    TN_TRY(tni_ref_output(c, 1, TN_F32, 2, (int64_t[]){n, m.width}));
    for (int64_t i = 0; i < n; i++, x += f) {
        float *z = row;
        if (tni_ref_wants(c, 1)) z = TNI_DATA(float, c->out[1]) + i * m.width;
        const int64_t label = classify(&m, x, f, z, &s);
        if (tni_ref_wants(c, 0)) tni_labels_put(&m.labels, c->out[0], i, label);
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
    {"coefficients", TNI_ATTR_FLOATS, NULL},
    {"kernel_params", TNI_ATTR_FLOATS, NULL},
    {"kernel_type", TNI_ATTR_STRING, "LINEAR"},
    {"post_transform", TNI_ATTR_STRING, "NONE"},
    {"prob_a", TNI_ATTR_FLOATS, NULL},
    {"prob_b", TNI_ATTR_FLOATS, NULL},
    {"rho", TNI_ATTR_FLOATS, NULL},
    {"support_vectors", TNI_ATTR_FLOATS, NULL},
    {"vectors_per_class", TNI_ATTR_INTS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_svm_classifier = {
    .domain = "ai.onnx.ml",
    .name = "SVMClassifier",
    .summary = "labels and scores of a support vector machine",
    TNI_VERSIONS(versions)};
