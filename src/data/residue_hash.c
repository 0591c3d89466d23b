/* SPDX-License-Identifier: Apache-2.0 */
/* residue_hash.c - FNV-1a of what an annotation says, several at a time */
#include "data/residue.h"

#define PRIME UINT64_C(1099511628211)

static uint64_t add_bytes(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * PRIME;
    return h;
}

static uint64_t add_double(uint64_t h, double v)
{
    uint64_t bits = 0;
    unsigned char b[8];
    if (v == 0.0) v = 0.0; /* one zero */
    memcpy(&bits, &v, 8);
    for (int i = 0; i < 8; i++) b[i] = (unsigned char)(bits >> (8 * i));
    return add_bytes(h, b, 8);
}

/* Before its texts: class and box. */
static uint64_t begin(const tn_dataset *d, uint32_t i)
{
    uint64_t h = UINT64_C(14695981039346656037);
    tni_ann a;
    tni_ann_get(d, i, &a);
    if (a.class_index != TN_NONE) {
        const char *name = tni_class_at(d, a.class_index)->name;
        h = add_bytes(h, name, strlen(name) + 1);
    }
    if ((a.flags & TN_HAS_BOX) != 0)
        for (int k = 0; k < 4; k++) h = add_double(h, a.box[k]);
    return h;
}

static tni_span text_of(const tn_dataset *d, uint32_t i, bool keypoints)
{
    const uint32_t has = keypoints ? TN_HAS_KEYPOINTS : TN_HAS_SHAPE;
    const tni_shape *s =
        (*tni_flags_at(d, i) & has) != 0
            ? tni_sparse_find(keypoints ? &d->keypoints : &d->shape, i, 0)
            : NULL;
    const tni_span text = {s != NULL ? s->text : "", s != NULL ? s->len : 0};
    return text;
}

/* With the text of its shape in it. */
static uint32_t end(const tn_dataset *d, uint32_t i, uint64_t h)
{
    const tni_span text = text_of(d, i, true);
    h = add_bytes(h, text.p, text.len);
    return (uint32_t)(h ^ h >> 32);
}

uint32_t tni_ann_hash(const tn_dataset *d, uint32_t i)
{
    const tni_span text = text_of(d, i, false);
    return end(d, i, add_bytes(begin(d, i), text.p, text.len));
}

/* --- several ------------------------------------------------------------- */

enum { LANES = 4 };

typedef struct lane {
    const unsigned char *p;
    size_t left;
    uint64_t h;
    uint32_t nth; /* whose text it is */
} lane;

/* As many steps as the shortest has. */
static void step(lane lanes[LANES])
{
    size_t n = lanes[0].left;
    for (int k = 1; k < LANES; k++) n = lanes[k].left < n ? lanes[k].left : n;
    const unsigned char *p0 = lanes[0].p, *p1 = lanes[1].p;
    const unsigned char *p2 = lanes[2].p, *p3 = lanes[3].p;
    uint64_t h0 = lanes[0].h, h1 = lanes[1].h;
    uint64_t h2 = lanes[2].h, h3 = lanes[3].h;
    for (size_t i = 0; i < n; i++) {
        h0 = (h0 ^ p0[i]) * PRIME;
        h1 = (h1 ^ p1[i]) * PRIME;
        h2 = (h2 ^ p2[i]) * PRIME;
        h3 = (h3 ^ p3[i]) * PRIME;
    }
    const uint64_t h[LANES] = {h0, h1, h2, h3};
    for (int k = 0; k < LANES; k++) {
        lanes[k].h = h[k];
        lanes[k].p += n;
        lanes[k].left -= n;
    }
}

/* Annotations to be hashed. */
typedef struct texts {
    uint32_t *to;
    const tn_dataset *d;
    const uint32_t *list;
    uint32_t n, next;
} texts;

/* Takes the next that has a text; false: none is left. */
static bool take(texts *t, lane *l)
{
    while (t->next < t->n) {
        const tni_span text = text_of(t->d, t->list[t->next], false);
        l->nth = t->next++;
        l->p = (const unsigned char *)text.p;
        l->left = text.len;
        l->h = begin(t->d, t->list[l->nth]);
        if (l->left > 0) return true;
        t->to[l->nth] = end(t->d, t->list[l->nth], l->h);
    }
    return false;
}

/* A lane that is through takes the next; one that has none left walks along
 * with the first, and nobody looks at it. */
static void hash_texts(texts *t)
{
    lane lanes[LANES];
    int used = 0;
    while (used < LANES && take(t, &lanes[used])) used++;
    while (used > 0) {
        for (int k = used; k < LANES; k++) lanes[k] = lanes[0];
        step(lanes);
        for (int k = 0; k < used;) {
            if (lanes[k].left > 0) {
                k++;
                continue;
            }
            const uint32_t nth = lanes[k].nth;
            t->to[nth] = end(t->d, t->list[nth], lanes[k].h);
            if (!take(t, &lanes[k])) lanes[k] = lanes[--used];
        }
    }
}

uint32_t tni_hashes_at(tni_hashes *h, const tn_dataset *d, uint32_t ann,
                       int64_t nth)
{
    if (nth < 0 || nth >= TNI_HASHED) return tni_ann_hash(d, ann);
    if (!h->known) {
        size_t n = 0;
        texts t = {h->of, d, NULL, 0, 0};
        t.list = tn_dataset_of_image(d, h->image, &n);
        t.n = n < TNI_HASHED ? (uint32_t)n : TNI_HASHED;
        hash_texts(&t);
        h->known = true;
    }
    return h->of[nth];
}
