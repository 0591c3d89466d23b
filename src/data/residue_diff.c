/* SPDX-License-Identifier: Apache-2.0 */
/* residue_diff.c - what of an annotation reads back as it was */
#include "data/residue.h"

#include <math.h>

/*
 * The fewest decimal places, to which `have` rounded is `want` in every number;
 * most numbers that are not are found out by the first.
 */
static bool find_places(const double *want, const double *have, size_t n,
                        unsigned *places)
{
    for (unsigned p = 0; p <= TNI_MAX_PLACES; p++) {
        size_t i = 0;
        while (i < n && tni_round_places(have[i], p) == want[i]) i++;
        if (i < n) continue;
        *places = p;
        return true;
    }
    return false;
}

static bool all_near(const double *want, const double *have, size_t n,
                     double most)
{
    bool all = n == 0 || fabs(want[0] - have[0]) <= most; /* most often not */
    for (size_t i = 0; i < n && all; i += 8) {
        const size_t end = n - i < 8 ? n : i + 8;
        for (size_t k = i; k < end; k++)
            all = all & (fabs(want[k] - have[k]) <= most);
    }
    return all;
}

static bool same_layout(const tn_shape *a, const tn_shape *b)
{
    if (a->n_points != b->n_points || a->n_rings != b->n_rings ||
        (a->visible == NULL) != (b->visible == NULL))
        return false;
    if (a->visible != NULL && memcmp(a->visible, b->visible, a->n_points) != 0)
        return false;
    for (size_t i = 0; i < a->n_rings; i++)
        if (a->ring_ends[i] != b->ring_ends[i] ||
            a->ring_holes[i] != b->ring_holes[i])
            return false;
    return true;
}

static const tni_shape *cell_of(const tn_dataset *d, uint32_t i, bool keypoints)
{
    const uint32_t has = keypoints ? TN_HAS_KEYPOINTS : TN_HAS_SHAPE;
    if ((*tni_flags_at(d, i) & has) == 0) return NULL;
    return tni_sparse_find(keypoints ? &d->keypoints : &d->shape, i, 0);
}

static bool both(tni_pair *p, bool keypoints, const tn_shape *s[2])
{
    for (int side = 0; side < 2; side++)
        if ((keypoints
                 ? tni_pair_keypoints(p, (tni_side)side, &s[side], NULL)
                 : tni_pair_shape(p, (tni_side)side, &s[side], NULL)) != TN_OK)
            return false;
    return true;
}

tni_kept tni_kept_shape(tni_pair *p, const tni_nearness *near, bool keypoints,
                        unsigned *places)
{
    const tni_shape *a =
        cell_of(p->sides[TNI_MEANT], p->rows[TNI_MEANT], keypoints);
    const tni_shape *b =
        cell_of(p->sides[TNI_BACK], p->rows[TNI_BACK], keypoints);
    const tn_shape *s[2] = {NULL, NULL};
    if (a == NULL || b == NULL || a->kind != b->kind) return TNI_KEPT_NOT;
    if (a->layout == b->layout && a->scale == b->scale && a->dims == b->dims &&
        a->places == b->places && a->len == b->len &&
        memcmp(a->text, b->text, a->len) == 0)
        return TNI_KEPT;
    const bool numbers = a->layout <= TNI_LAYOUT_PAIRS;
    if (!numbers || b->layout > TNI_LAYOUT_PAIRS || a->dims != b->dims ||
        (b->scale != TN_SCALE_PIXEL && !near->sized))
        return TNI_KEPT_NOT;
    if (!both(p, keypoints, s) || !same_layout(s[TNI_MEANT], s[TNI_BACK]))
        return TNI_KEPT_NOT;
    const size_t n = 2 * s[TNI_MEANT]->n_points;
    const double *want = s[TNI_MEANT]->xy, *have = s[TNI_BACK]->xy;
    if (all_near(want, have, n, 0.0)) return TNI_KEPT;
    if (!all_near(want, have, n, near->fine)) return TNI_KEPT_NOT;
    return find_places(want, have, n, places) ? TNI_KEPT_ROUNDED : TNI_KEPT;
}

void tni_box_from_edges(double box[4], const double e[4], uint8_t form,
                        unsigned places)
{
    const double w = e[2] - e[0], h = e[3] - e[1];
    const double as[3][4] = {{e[0], e[1], e[2], e[3]},
                             {e[0], e[1], w, h},
                             {e[0] + w / 2, e[1] + h / 2, w, h}};
    for (int k = 0; k < 4; k++) {
        box[k] = as[form < 3 ? form : 0][k];
        if (places <= TNI_MAX_PLACES) box[k] = tni_round_places(box[k], places);
    }
}

tni_kept tni_kept_box(tni_pair *p, const tni_nearness *near, unsigned *places)
{
    tni_ann a, b;
    double edges[4], box[4];
    tni_ann_get(p->sides[TNI_MEANT], p->rows[TNI_MEANT], &a);
    tni_ann_get(p->sides[TNI_BACK], p->rows[TNI_BACK], &b);
    const bool own = (b.flags & TN_HAS_BOX) != 0;
    const uint8_t scale = tni_ann_scale(a.flags), form = tni_ann_form(a.flags);
    if (own && form == tni_ann_form(b.flags) &&
        scale == tni_ann_scale(b.flags) &&
        memcmp(a.box, b.box, sizeof a.box) == 0)
        return TNI_KEPT;
    if (!near->sized || scale != TN_SCALE_PIXEL ||
        !tni_pair_box(p, TNI_BACK, edges))
        return TNI_KEPT_NOT;
    *places = TNI_MAX_PLACES + 1;
    tni_box_from_edges(box, edges, form, *places);
    if (all_near(a.box, box, 4, 0.0)) return TNI_KEPT_ROUNDED;
    return find_places(a.box, box, 4, places) ? TNI_KEPT_ROUNDED : TNI_KEPT_NOT;
}
