/* SPDX-License-Identifier: Apache-2.0 */
/* voc_paint.c - which annotations become objects, and pictures of their masks */
#include "data/formats/voc.h"

#include "data/mask_draw.h"

#include <math.h>

enum { MAX_PIXELS = 1 << 28 };

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

tni_span tni_voc_member(const tni_sparse *s, uint32_t row, const char *key)
{
    const size_t n = strlen(key);
    tni_span out = {NULL, 0};
    for (uint32_t k = 0; out.p == NULL; k++) {
        const tni_span *m = tni_sparse_find(s, row, k);
        if (m == NULL) return out;
        if (m->len < n + 4 || memcmp(m->p + 1, key, n) != 0 ||
            m->p[n + 1] != '"')
            continue;
        size_t at = n + 2;
        while (at < m->len && strchr(": \t\r\n", m->p[at]) != NULL) at++;
        out.p = m->p + at;
        out.len = m->len - at;
    }
    return out;
}

bool tni_voc_is_part(const tn_dataset *d, uint32_t ann)
{
    const uint32_t flags = *tni_flags_at(d, ann);
    const uint32_t other = TN_HAS_ANGLE | TN_HAS_SHAPE | TN_HAS_KEYPOINTS |
                           TN_IS_TAG | TN_IS_NEGATIVE;
    return (flags & TN_HAS_BOX) != 0 && (flags & other) == 0 &&
           tni_ann_at(d, ann)->class_index != TN_NONE &&
           tni_span_is(tni_voc_member(&d->text[TN_TEXT_EXTRA], ann, "part"),
                       "true");
}

/* What a box of the XML may stand for. */
static bool is_object(const tn_dataset *d, uint32_t ann, tn_shape *scratch,
                      double box[4])
{
    tni_ann a;
    tni_ann_get(d, ann, &a);
    if (a.class_index == TN_NONE || !tni_box_for(d, ann, &a, scratch, box))
        return false;
    return isfinite(box[0]) && isfinite(box[1]) && isfinite(box[2]) &&
           isfinite(box[3]);
}

size_t tni_voc_parts(const tn_dataset *d, const uint32_t *anns, size_t n,
                     size_t at)
{
    double group = 0.0, own = 0.0, box[4];
    size_t count = 0;
    if (tn_dataset_num(d, anns[at], TN_NUM_GROUP, &group) == 0 ||
        tni_voc_is_part(d, anns[at]))
        return 0;
    while (at + count + 1 < n && tni_voc_is_part(d, anns[at + count + 1]) &&
           tn_dataset_box(d, anns[at + count + 1], box) != 0 &&
           tn_dataset_num(d, anns[at + count + 1], TN_NUM_GROUP, &own) != 0 &&
           own == group)
        count++;
    return count;
}

tn_status tni_voc_objects(const tn_dataset *d, uint32_t image, tni_arena *arena,
                          uint32_t **list, double (**boxes)[4], size_t *n,
                          tn_err *err)
{
    size_t all = 0;
    const uint32_t *anns = tn_dataset_of_image(d, image, &all);
    tn_shape scratch = TN_SHAPE_INIT;
    *n = 0;
    *list = TNI_NEW_ARRAY(arena, uint32_t, all + 1);
    *boxes = tni_arena_array(arena, all + 1, sizeof **boxes, sizeof(double));
    if (*list == NULL || *boxes == NULL) return no_memory(err);
    for (size_t i = 0; i < all; i++) {
        if (!is_object(d, anns[i], &scratch, (*boxes)[*n])) continue;
        (*list)[(*n)++] = anns[i];
        i += tni_voc_parts(d, anns, all, i);
    }
    tn_shape_fini(&scratch);
    return TN_OK;
}

/* Which objects of an image are in the picture, and which of them others
 * cover in part. */
typedef struct painted {
    bool in[256], hidden[256];
} painted;

static void paint_one(tni_voc_canvas *c, painted *p, const tn_shape *s,
                      uint8_t object, uint8_t cls)
{
    uint64_t at = 0;
    for (size_t i = 0; i < s->n_runs; at += s->runs[i], i++)
        for (uint64_t k = at; i % 2 == 1 && k < at + s->runs[i]; k++) {
            const size_t px = (size_t)(k % c->h) * c->w + (size_t)(k / c->h);
            p->hidden[c->objects[px]] = true;
            c->objects[px] = object;
            c->classes[px] = cls;
        }
}

/* Objects whose pixels would not be known again for theirs lose them. */
static void erase_strangers(tni_voc_canvas *c, double (*boxes)[4], painted *p)
{
    double seen[256][4];
    for (int k = 0; k < 256; k++) {
        seen[k][0] = c->w;
        seen[k][1] = c->h;
        seen[k][2] = seen[k][3] = 0.0;
    }
    for (uint32_t y = 0; y < c->h; y++)
        for (uint32_t x = 0; x < c->w; x++) {
            double *b = seen[c->objects[(size_t)y * c->w + x]];
            b[0] = fmin(b[0], x);
            b[1] = fmin(b[1], y);
            b[2] = fmax(b[2], x + 1.0);
            b[3] = fmax(b[3], y + 1.0);
        }
    for (int k = 1; k <= TNI_VOC_OBJECTS; k++) {
        if (!p->in[k]) continue;
        p->in[k] = seen[k][2] > 0.0 && tni_voc_same_box(boxes[k - 1], seen[k]);
        if (!p->in[k])
            c->n_left_out++;
        else if (p->hidden[k])
            c->n_hidden++;
    }
    const size_t size = (size_t)c->w * c->h;
    for (size_t i = 0; i < size; i++)
        if (!p->in[c->objects[i]]) c->objects[i] = c->classes[i] = 0;
}

static bool has_runs(const tn_dataset *d, uint32_t ann)
{
    return tn_dataset_shape_kind(d, ann) == TN_SHAPE_RLE;
}

tn_status tni_voc_paint(tni_voc_canvas *c, const tn_dataset *d, uint32_t image,
                        const uint32_t *list, double (*boxes)[4], size_t n,
                        tni_arena *arena, tn_err *err)
{
    double w = 0.0, h = 0.0;
    painted p;
    tn_shape s = TN_SHAPE_INIT;
    memset(c, 0, sizeof *c);
    memset(&p, 0, sizeof p);
    for (size_t i = 0; i < n; i++) c->n_left_out += has_runs(d, list[i]);
    if (c->n_left_out == 0 || !tni_image_extent(d, image, &w, &h) ||
        !(w * h <= MAX_PIXELS))
        return TN_OK;
    c->n_left_out = 0;
    c->w = (uint32_t)w;
    c->h = (uint32_t)h;
    c->objects = tni_arena_zalloc(arena, (size_t)c->w * c->h, 1);
    c->classes = tni_arena_zalloc(arena, (size_t)c->w * c->h, 1);
    const uint32_t *order = tni_drawing_order(d, list, n, arena);
    if (c->objects == NULL || c->classes == NULL || order == NULL)
        return no_memory(err);
    tn_status status = TN_OK;
    for (size_t k = 0; status == TN_OK && k < n; k++) {
        const uint32_t i = order[k];
        const uint32_t cls = tni_ann_at(d, list[i])->class_index;
        if (!has_runs(d, list[i])) continue;
        status = tn_dataset_shape(d, list[i], &s, err);
        if (status != TN_OK) break;
        if (i >= TNI_VOC_OBJECTS || cls >= TNI_VOC_OBJECTS || s.width != c->w ||
            s.height != c->h) {
            c->n_left_out++;
            continue;
        }
        p.in[i + 1] = true;
        paint_one(c, &p, &s, (uint8_t)(i + 1), (uint8_t)(cls + 1));
    }
    tn_shape_fini(&s);
    if (status == TN_OK) erase_strangers(c, boxes, &p);
    return status;
}
