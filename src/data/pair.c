/* SPDX-License-Identifier: Apache-2.0 */
/* pair.c - an annotation as it was meant and as it reads back */
#include "data/pair.h"

#include <string.h>

void tni_pair_init(tni_pair *p, const tn_dataset *meant, const tn_dataset *back)
{
    memset(p, 0, sizeof *p);
    p->sides[TNI_MEANT] = meant;
    p->sides[TNI_BACK] = back;
    for (int side = 0; side < 2; side++) {
        p->rows[side] = TN_NONE;
        p->shapes[side].shape.struct_size = sizeof(tn_shape);
        p->keypoints[side].shape.struct_size = sizeof(tn_shape);
    }
}

void tni_pair_fini(tni_pair *p)
{
    for (int side = 0; side < 2; side++) {
        tn_shape_fini(&p->shapes[side].shape);
        tn_shape_fini(&p->keypoints[side].shape);
    }
}

void tni_pair_set(tni_pair *p, uint32_t meant, uint32_t back)
{
    p->rows[TNI_MEANT] = meant;
    p->rows[TNI_BACK] = back;
    for (int side = 0; side < 2; side++)
        p->shapes[side].read = p->keypoints[side].read = false;
}

tn_status tni_pair_shape(tni_pair *p, tni_side side, const tn_shape **shape,
                         tn_err *err)
{
    tni_read_shape *r = &p->shapes[side];
    if (!r->read)
        r->status =
            tn_dataset_shape(p->sides[side], p->rows[side], &r->shape, err);
    r->read = true;
    *shape = &r->shape;
    return r->status;
}

tn_status tni_pair_keypoints(tni_pair *p, tni_side side, const tn_shape **shape,
                             tn_err *err)
{
    tni_read_shape *r = &p->keypoints[side];
    if (!r->read)
        r->status =
            tn_dataset_keypoints(p->sides[side], p->rows[side], &r->shape, err);
    r->read = true;
    *shape = &r->shape;
    return r->status;
}

bool tni_pair_box(tni_pair *p, tni_side side, double box[4])
{
    const tn_dataset *d = p->sides[side];
    const tn_shape *s = NULL;
    const uint32_t flags = *tni_flags_at(d, p->rows[side]);
    if ((flags & TN_HAS_BOX) != 0)
        return tn_dataset_box(d, p->rows[side], box) != 0;
    return (flags & TN_HAS_SHAPE) != 0 &&
           tni_pair_shape(p, side, &s, NULL) == TN_OK && tni_shape_box(s, box);
}
