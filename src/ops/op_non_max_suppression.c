/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_non_max_suppression.c - ONNX NonMaxSuppression, opset 10
 *
 * Shapes:  boxes[b, n, 4], scores[b, c, n]  ->  selected_indices[s, 3] of
 *          (batch, class, box), each class by falling score
 * Types:   float32 -> int64
 * Attrs:   center_point_box: boxes are (x, y, w, h), else two corners
 *          (y1, x1, y2, x2) in any order
 * Errors:  EINVAL shapes that do not fit, a threshold outside [0, 1]
 * Numeric: overlap in float32; equal scores in the order of the boxes; a box
 *          goes when its overlap with a kept one exceeds the threshold
 */
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/order.h"

#include <string.h>

static tn_status infer(tni_infer *c)
{
    const int64_t dims[2] = {TNI_DIM_UNKNOWN, 3};
    if (tni_infer_ranked(c, 0) &&
        (c->in[0]->rank != 3 ||
         (c->in[0]->dims[2] >= 0 && c->in[0]->dims[2] != 4)))
        return tni_fail(c->err, TN_EINVAL,
                        "boxes of rank %d, expected [batch, boxes, 4]",
                        c->in[0]->rank);
    if (tni_infer_ranked(c, 1) && c->in[1]->rank != 3)
        return tni_fail(c->err, TN_EINVAL, "scores of rank %d, expected 3",
                        c->in[1]->rank);
    return tni_infer_dims(c, 0, TN_I64, 2, dims);
}

typedef struct box {
    float x0, y0, x1, y1, area;
} box;

static void corners(box *b, const float *v, bool center)
{
    if (center) {
        const float w = v[2] / 2.0f, h = v[3] / 2.0f;
        *b = (box){v[0] - w, v[1] - h, v[0] + w, v[1] + h, 0.0f};
    } else {
        b->y0 = v[0] < v[2] ? v[0] : v[2];
        b->y1 = v[0] < v[2] ? v[2] : v[0];
        b->x0 = v[1] < v[3] ? v[1] : v[3];
        b->x1 = v[1] < v[3] ? v[3] : v[1];
    }
    b->area = (b->x1 - b->x0) * (b->y1 - b->y0);
}

static bool overlaps(const box *a, const box *b, float threshold)
{
    const float x0 = a->x0 > b->x0 ? a->x0 : b->x0;
    const float x1 = a->x1 < b->x1 ? a->x1 : b->x1;
    const float y0 = a->y0 > b->y0 ? a->y0 : b->y0;
    const float y1 = a->y1 < b->y1 ? a->y1 : b->y1;
    if (!(x1 > x0) || !(y1 > y0)) return false;
    const float both = (x1 - x0) * (y1 - y0);
    const float all = a->area + b->area - both;
    if (!(a->area > 0.0f) || !(b->area > 0.0f) || !(all > 0.0f)) return false;
    return both / all > threshold;
}

typedef struct limits {
    int64_t most;
    float iou, score;
    bool has_score;
} limits;

static tn_status limits_of(limits *l, const tni_ref *c)
{
    memset(l, 0, sizeof *l);
    if (tni_ref_has(c, 2))
        TN_TRY(tni_scalar_i64(&l->most, c->in[2], "max_output_boxes_per_class",
                              c->err));
    if (l->most < 0) l->most = 0;
    for (int i = 3; i < 5; i++)
        if (tni_ref_has(c, i) && c->in[i]->len != 1)
            return tni_fail(c->err, TN_EINVAL,
                            "a threshold has %lld elements, expected 1",
                            (long long)c->in[i]->len);
    if (tni_ref_has(c, 3)) l->iou = TNI_CDATA(float, c->in[3])[0];
    if (!(l->iou >= 0.0f && l->iou <= 1.0f))
        return tni_fail(c->err, TN_EINVAL,
                        "iou_threshold %g is outside [0, 1]", (double)l->iou);
    l->has_score = tni_ref_has(c, 4);
    if (l->has_score) l->score = TNI_CDATA(float, c->in[4])[0];
    return TN_OK;
}

static bool higher(const void *ctx, int64_t a, int64_t b)
{
    const uint64_t *keys = ctx;
    return keys[a] > keys[b] || (keys[a] == keys[b] && a < b);
}

typedef struct work {
    box *boxes;        /* of the batch */
    int64_t *order;    /* candidates by falling score */
    int64_t *item;     /* box of each candidate */
    uint64_t *keys;    /* of each candidate */
    int64_t *kept;
} work;

/* Boxes of one class that stay, into w->kept; returns how many. */
static int64_t select_class(const work *w, const tni_tensor *scores,
                            int64_t first, int64_t n, const limits *l)
{
    const float *s = TNI_CDATA(float, scores) + first;
    int64_t m = 0, kept = 0;
    for (int64_t i = 0; i < n; i++) {
        if (l->has_score && !(s[i] > l->score)) continue;
        tni_order_keys(&w->keys[m], scores, first + i, 1, 1, TNI_NAN_FIRST);
        w->item[m++] = i;
    }
    tni_order_first(w->order, m, m, higher, w->keys);
    for (int64_t i = 0; i < m && kept < l->most; i++) {
        const int64_t b = w->item[w->order[i]];
        bool keep = true;
        for (int64_t k = 0; k < kept && keep; k++)
            keep = !overlaps(&w->boxes[b], &w->boxes[w->kept[k]], l->iou);
        if (keep) w->kept[kept++] = b;
    }
    return kept;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *boxes = c->in[0], *scores = c->in[1];
    if (boxes->rank != 3 || scores->rank != 3 || boxes->dims[2] != 4 ||
        boxes->dims[0] != scores->dims[0] || boxes->dims[1] != scores->dims[2])
    {
        char a[120], b[120];
        return tni_fail(c->err, TN_EINVAL,
                        "boxes %s and scores %s, expected [b,n,4] and [b,c,n]",
                        tni_shape_text(a, sizeof a, boxes),
                        tni_shape_text(b, sizeof b, scores));
    }
    limits l;
    TN_TRY(limits_of(&l, c));
    const int64_t batches = scores->dims[0], classes = scores->dims[1];
    const int64_t n = scores->dims[2];
    const size_t count = (size_t)(n > 0 ? n : 1);
    work w = {.boxes = tni_ref_scratch(c, count * sizeof(box)),
              .order = tni_ref_scratch(c, count * sizeof(int64_t)),
              .item = tni_ref_scratch(c, count * sizeof(int64_t)),
              .keys = tni_ref_scratch(c, count * sizeof(uint64_t)),
              .kept = tni_ref_scratch(c, count * sizeof(int64_t))};
    /* Every class of every batch keeps at most n and at most l.most. */
    const int64_t most = l.most < n ? l.most : n;
    int64_t room = 0;
    TN_TRY(tni_extent_mul(&room, batches * classes, most * 3, c->err));
    int64_t *found =
        tni_ref_scratch(c, (size_t)(room > 0 ? room : 1) * sizeof *found);
    if (w.boxes == NULL || w.order == NULL || w.item == NULL ||
        w.keys == NULL || w.kept == NULL || found == NULL)
        return tni_ref_nomem(c);
    const bool center = tni_attr_int(c->node, "center_point_box", 0) != 0;
    int64_t total = 0;
    for (int64_t b = 0; b < batches && most > 0; b++) {
        for (int64_t i = 0; i < n; i++)
            corners(&w.boxes[i], TNI_CDATA(float, boxes) + (b * n + i) * 4,
                    center);
        for (int64_t k = 0; k < classes; k++) {
            const int64_t kept =
                select_class(&w, scores, (b * classes + k) * n, n, &l);
            for (int64_t i = 0; i < kept; i++) {
                found[total * 3] = b;
                found[total * 3 + 1] = k;
                found[total * 3 + 2] = w.kept[i];
                total++;
            }
        }
    }
    const int64_t dims[2] = {total, 3};
    TN_TRY(tni_ref_output(c, 0, TN_I64, 2, dims));
    if (tni_ref_wants(c, 0) && total > 0)
        memcpy(c->out[0]->data, found, (size_t)total * 3 * sizeof *found);
    return TN_OK;
}

static const tni_arg ins[] = {
    {"boxes", TNI_T(TN_F32), 0, 0},
    {"scores", TNI_T(TN_F32), 0, 0},
    {"max_output_boxes_per_class", TNI_T(TN_I64), 0, TNI_OPTIONAL},
    {"iou_threshold", TNI_T(TN_F32), 0, TNI_OPTIONAL},
    {"score_threshold", TNI_T(TN_F32), 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"selected_indices", TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs[] = {{"center_point_box", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 10, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED, .infer = infer, .ref = ref},
};

const tni_op tni_op_non_max_suppression = {
    .domain = "",
    .name = "NonMaxSuppression",
    .summary = "Drops boxes that overlap better ones",
    TNI_VERSIONS(versions),
};
