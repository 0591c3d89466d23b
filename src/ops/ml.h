/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ml.h - what the ai.onnx.ml operators share: rows, labels, score transforms,
 *        dictionaries
 */
#ifndef TN_SRC_OPS_ML_H
#define TN_SRC_OPS_ML_H

#include "ops/infer.h"

/* Input dtypes of most ai.onnx.ml operators. */
#define TNI_ML_NUMBERS                                                         \
    (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_I64) | TNI_T(TN_I32))

/* --- rows -------------------------------------------------------------- */

/* [N, F] of a tensor; [F] is one row, and axes after the second count as
 * features. TN_EINVAL for a scalar. */
tn_status tni_ml_rows(int64_t *n, int64_t *features, const tni_tensor *x,
                      tn_err *err);
/* The same at inference; unknown extents stay TNI_DIM_UNKNOWN. */
tn_status tni_ml_infer_rows(const tni_infer *c, int in, int64_t *n,
                            int64_t *features);
/* The elements as floats: the tensor's own, or converted into scratch. NULL
 * when memory is out. */
const float *tni_ml_floats(tni_ref *c, const tni_tensor *x);

/* --- sums: in double, eight of them side by side, joined in halves --------- */

double tni_ml_dot(const float *a, const float *b, int64_t n);
double tni_ml_distance2(const float *a, const float *b, int64_t n);

/* --- scores ------------------------------------------------------------ */

typedef enum tni_post {
    TNI_POST_NONE,
    TNI_POST_LOGISTIC,
    TNI_POST_SOFTMAX,
    TNI_POST_SOFTMAX_ZERO,
    TNI_POST_PROBIT
} tni_post;

tn_status tni_post_parse(tni_post *post, const tni_node *node, tn_err *err);
float tni_ml_logistic(float x);
float tni_ml_probit(float x);
/* Transforms n scores of one row in place. A single score is left as it is by
 * everything but PROBIT. */
void tni_post_apply(tni_post post, float *scores, int64_t n);

/* How the one score of two classes becomes two. */
typedef enum tni_second {
    TNI_SECOND_NONE,    /* s, 0 */
    TNI_SECOND_REST,    /* 1 - s, s */
    TNI_SECOND_NEGATIVE /* -s, s */
} tni_second;

/* Makes z[0] and z[1] of the score z[0] and transforms them: LOGISTIC gives
 * both logistics, PROBIT that of the first alone, the others leave them. */
void tni_post_second(tni_post post, tni_second how, float *z);

/* --- labels ------------------------------------------------------------ */

typedef struct tni_labels {
    int64_t n;
    const tn_string *strings; /* or NULL */
    const int64_t *ints;      /* or NULL */
} tni_labels;

/* Reads two attributes of which one is given; strings win. */
void tni_labels_read(tni_labels *l, const tni_node *node, const char *strings,
                     const char *ints);
static inline tn_dtype tni_labels_dtype(const tni_labels *l)
{
    return l->strings != NULL ? TN_STRING : TN_I64;
}
/* Stores label k as element i; k outside the list is -1 or "". */
void tni_labels_put(const tni_labels *l, tni_tensor *out, int64_t i, int64_t k);

/* --- dictionaries ------------------------------------------------------ */

/* Key to position, over keys that stay where they are. A key that comes again
 * takes the place of the first. */
typedef struct tni_dict {
    const tn_string *strings; /* or NULL */
    const int64_t *ints;
    int32_t *slots; /* position + 1 */
    size_t mask;
} tni_dict;

tn_status tni_dict_init(tni_dict *d, const tn_string *strings,
                        const int64_t *ints, int64_t n, tni_arena *arena,
                        tn_err *err);
/* The position, or -1. */
int64_t tni_dict_find_int(const tni_dict *d, int64_t key);
int64_t tni_dict_find_string(const tni_dict *d, tn_string key);
/* A float as a key: one pattern for every NaN and for both zeros. */
int64_t tni_dict_float(double v);

static inline bool tni_string_equal(tn_string a, tn_string b)
{
    size_t i = 0;
    if (a.len != b.len) return false;
    while (i < a.len && a.ptr[i] == b.ptr[i]) i++;
    return i == a.len;
}

/* --- maps -------------------------------------------------------------- */

/* Keys and values of a map; TN_EINVAL for anything else, or when a value
 * tensor has another length. */
tn_status tni_map_parts(const tni_tensor *map, const tni_tensor **keys,
                        const tni_tensor **values, tn_err *err);

#endif
