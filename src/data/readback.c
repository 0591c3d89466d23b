/* SPDX-License-Identifier: Apache-2.0 */
/* readback.c - whether what was written is what was meant */
#include "data/readback.h"

#include "data/one.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IMAGES_OF_BLOCK = 64 };

/* What one thread compares. */
typedef struct compare {
    const tni_writer *w;
    const tn_dataset *a, *b; /* meant, read back: b has the image at hand */
    tni_one *one;            /* that reads it; NULL: b has them all */
    const tni_format *format;
    tni_compared result;
    tni_pair pair;
    tni_residue_lane *residue; /* NULL: none is written */
    tn_err *err;
} compare;

typedef struct comparison {
    tni_writer *w;
    const tni_matches *matches;
    tni_residue *residue;
    const tn_dataset *back;
    compare *lanes;
    size_t n_lanes;
} comparison;

static tn_status differs(const compare *p, uint32_t image, uint32_t nth,
                         const char *what)
{
    return tni_fail(p->err, TN_EINTERNAL,
                    "image '%.100s', annotation %u: what was written reads "
                    "back with %s; please report this",
                    tni_image_at(p->a, image)->name, (unsigned)nth, what);
}

/* How far annotation i may be off, and where it was cut (0: nowhere). */
typedef struct allowed {
    double tolerance, w, h;
} allowed;

static bool near(compare *p, const double *x, const double *y, size_t n,
                 const allowed *a)
{
    double worst = p->result.max_error;
    bool all = true;
    for (size_t i = 0; i < n && a->w > 0.0; i++) {
        const double side = i % 2 == 0 ? a->w : a->h;
        const double e = fabs(fmin(fmax(x[i], 0.0), side) - y[i]);
        all = all && e <= a->tolerance;
        worst = e > worst ? e : worst;
    }
    for (size_t i = 0; i < n && !(a->w > 0.0); i++) {
        const double e = fabs(x[i] - y[i]);
        all = all & (e <= a->tolerance);
        worst = e > worst ? e : worst;
    }
    if (all) p->result.max_error = worst;
    return all;
}

static allowed allowed_of(const compare *p, uint32_t image, uint32_t i)
{
    allowed a = {0.0, 0.0, 0.0};
    double w = 0.0, h = 0.0;
    if (!tni_image_extent(p->a, image, &w, &h)) w = h = 1.0;
    const double side = w > h ? w : h;
    /* Two roundings on the way, each of a few units in the last place. */
    a.tolerance = p->format->off_pixels + p->format->off_units * side +
                  1e-9 * side + 1e-9;
    if (p->w->written[i] == TNI_WRITTEN_CUT) {
        a.w = w;
        a.h = h;
    }
    return a;
}

static bool is_polygon(const tn_dataset *d, uint32_t i)
{
    if ((*tni_flags_at(d, i) & TN_HAS_SHAPE) == 0) return false;
    return ((const tni_shape *)tni_sparse_find(&d->shape, i, 0))->kind ==
           TN_SHAPE_POLYGON;
}

static bool is_quad(const tn_dataset *d, uint32_t i)
{
    const uint32_t flags = *tni_flags_at(d, i);
    if ((flags & TN_HAS_SHAPE) == 0) return (flags & TN_HAS_ANGLE) != 0;
    return ((const tni_shape *)tni_sparse_find(&d->shape, i, 0))->kind ==
           TN_SHAPE_QUAD;
}

/* Any two opposite corners are the same box to formats that have corners. */
static void sort_corners(double box[4])
{
    for (int i = 0; i < 2; i++) {
        const double low = fmin(box[i], box[i + 2]);
        box[i + 2] = fmax(box[i], box[i + 2]);
        box[i] = low;
    }
}

static tn_status compare_shapes(compare *p, uint32_t image, uint32_t nth,
                                const tn_shape *x, const tn_shape *y,
                                const allowed *a)
{
    /* Fewer than three points may have become a box. */
    if (x->n_points < 3 && x->n_points != y->n_points) return TN_OK;
    if (x->n_rings != y->n_rings) {
        const uint64_t both = TNI_KEEPS(PARTS) | TNI_KEEPS(HOLE);
        return (p->w->keeps & both) != both
                   ? TN_OK
                   : differs(p, image, nth, "another number of parts");
    }
    if (x->n_points != y->n_points)
        return differs(p, image, nth, "another number of points");
    for (size_t r = 0; r < x->n_rings; r++)
        if (x->ring_ends[r] != y->ring_ends[r])
            return differs(p, image, nth, "other parts");
    if (!near(p, x->xy, y->xy, 2 * x->n_points, a))
        return differs(p, image, nth, "other points");
    return TN_OK;
}

static tn_status compare_geometry(compare *p, uint32_t image, uint32_t i,
                                  uint32_t k, uint32_t nth)
{
    const allowed a = allowed_of(p, image, i);
    const bool outlines = is_polygon(p->a, i) && is_polygon(p->b, k);
    const bool quads = is_quad(p->a, i) && is_quad(p->b, k);
    if (outlines || quads) {
        const tn_shape *x = NULL, *y = NULL;
        const tn_status meant = tni_pair_shape(&p->pair, TNI_MEANT, &x, p->err);
        if (meant == TN_EUNSUPPORTED) return TN_OK; /* of an unknown size */
        TN_TRY(meant);
        TN_TRY(tni_pair_shape(&p->pair, TNI_BACK, &y, p->err));
        return compare_shapes(p, image, nth, x, y, &a);
    }
    const bool boxed =
        (*tni_flags_at(p->b, k) & TN_HAS_BOX) != 0 || is_polygon(p->b, k);
    double x[4], y[4];
    if (!boxed || is_quad(p->a, i)) return TN_OK;
    if (!tni_pair_box(&p->pair, TNI_MEANT, x)) return TN_OK;
    if (!tni_pair_box(&p->pair, TNI_BACK, y))
        return differs(p, image, nth, "no box");
    sort_corners(x);
    sort_corners(y);
    return near(p, x, y, 4, &a) ? TN_OK : differs(p, image, nth, "another box");
}

static tn_status compare_keypoints(compare *p, uint32_t image, uint32_t i,
                                   uint32_t k, uint32_t nth)
{
    const tn_shape *x = NULL, *y = NULL;
    if ((*tni_flags_at(p->a, i) & TN_HAS_KEYPOINTS) == 0 ||
        (*tni_flags_at(p->b, k) & TN_HAS_KEYPOINTS) == 0)
        return TN_OK;
    const tn_status meant = tni_pair_keypoints(&p->pair, TNI_MEANT, &x, p->err);
    if (meant == TN_EUNSUPPORTED) return TN_OK; /* of an unknown size */
    TN_TRY(meant);
    TN_TRY(tni_pair_keypoints(&p->pair, TNI_BACK, &y, p->err));
    const allowed a = allowed_of(p, image, i);
    if (x->n_points != y->n_points ||
        !near(p, x->xy, y->xy, 2 * x->n_points, &a))
        return differs(p, image, nth, "other keypoints");
    if (x->visible != NULL && y->visible != NULL &&
        memcmp(x->visible, y->visible, x->n_points) != 0)
        return differs(p, image, nth, "another visibility of keypoints");
    return TN_OK;
}

static tn_status compare_one(compare *p, uint32_t image, uint32_t i, uint32_t k,
                             uint32_t nth)
{
    const uint32_t ca = tni_ann_at(p->a, i)->class_index;
    const uint32_t cb = tni_ann_at(p->b, k)->class_index;
    if ((ca == TN_NONE) != (cb == TN_NONE) ||
        (ca != TN_NONE && strcmp(tni_class_at(p->a, ca)->name,
                                 tni_class_at(p->b, cb)->name) != 0))
        return differs(p, image, nth, "another class");
    TN_TRY(compare_geometry(p, image, i, k, nth));
    TN_TRY(compare_keypoints(p, image, i, k, nth));
    p->result.n++;
    return TN_OK;
}

/* Brings the image into `b` where it was left in its file; its row there. */
static tn_status fetch(compare *p, uint32_t *match)
{
    if (p->one == NULL) return TN_OK;
    const tn_status status = tni_one_read(p->one, *match, p->err);
    *match = 0;
    if (status == TN_OK || status == TN_ENOMEM) return status;
    p->err->code = TN_EINTERNAL;
    return TN_EINTERNAL;
}

/* Of an image without annotations, whether it was looked at, where the format
 * can say so. */
static tn_status compare_state(const compare *p, uint32_t image, uint32_t match)
{
    const int state = tni_image_at(p->a, image)->state;
    const int read = tni_image_at(p->b, match)->state;
    const uint64_t keeps =
        state == TN_STATE_EMPTY ? TNI_KEEPS(EMPTY) : TNI_KEEPS(UNKNOWN);
    if (state == read || state == TN_STATE_ANNOTATED ||
        (p->w->keeps & keeps) == 0)
        return TN_OK;
    return tni_fail(p->err, TN_EINTERNAL,
                    "image '%.100s' was %s and reads back as %s from what was "
                    "written; please report this",
                    tni_image_at(p->a, image)->name,
                    state == TN_STATE_EMPTY ? "empty" : "unlabelled",
                    read == TN_STATE_EMPTY ? "empty" : "unlabelled");
}

static tn_status compare_image(compare *p, uint32_t image, uint32_t match)
{
    size_t na = 0, nb = 0, at = 0;
    TN_TRY(fetch(p, &match));
    const uint32_t *a = tn_dataset_of_image(p->a, image, &na);
    const uint32_t *b = tn_dataset_of_image(p->b, match, &nb);
    const bool kept = p->residue != NULL &&
                      tni_residue_begin_image(p->residue, image, p->b, match);
    for (size_t i = 0; i < na; i++) {
        const bool written = p->w->written[a[i]] != 0;
        const size_t k = p->w->rank != NULL ? p->w->rank[a[i]] : at;
        if (written && k >= nb)
            return differs(p, image, (uint32_t)i, "annotations missing");
        tni_pair_set(&p->pair, a[i], written ? b[k] : TN_NONE);
        if (written) TN_TRY(compare_one(p, image, a[i], b[k], (uint32_t)i));
        if (kept)
            tni_residue_annotation(p->residue, &p->pair,
                                   written ? (int64_t)k : -1);
        at += written;
    }
    if (kept) tni_residue_end_image(p->residue);
    if (at != nb) return differs(p, image, (uint32_t)at, "one too many");
    return na == 0 ? compare_state(p, image, match) : TN_OK;
}

/* Images by "split/name"; without splits in the target, by name. */
static bool key_of(char *key, size_t size, const char *split, const char *name)
{
    const int n = snprintf(key, size, "%s/%s", split, name);
    return n > 0 && (size_t)n < size;
}

/* What images are found by. */
typedef struct image_keys {
    tni_strmap map; /* to the row in `back`, + 1 */
    bool splits;
} image_keys;

static uint32_t find_row(const image_keys *keys, const char *split,
                         const char *name)
{
    char key[4600];
    if (!key_of(key, sizeof key, split, name)) return TN_NONE;
    void **found = tni_strmap_find(&keys->map, key, strlen(key));
    return found != NULL ? (uint32_t)((uintptr_t)*found - 1) : TN_NONE;
}

/* An image of several splits may be written in each of them. */
static void find_copies(tni_matches *m, const tni_writer *w, uint32_t image,
                        const image_keys *keys)
{
    uint64_t left = tni_image_at(w->d, image)->splits;
    for (left &= left - 1; left != 0; left &= left - 1) {
        const char *split = w->d->splits[__builtin_ctzll(left)];
        const uint32_t row = find_row(keys, split, w->names[image]);
        if (row == TN_NONE || row == m->first[image]) continue;
        m->copies[m->n_copies++] = (tni_copy){image, row};
    }
}

static bool in_several(const tn_dataset *d, uint32_t image)
{
    const uint64_t splits = tni_image_at(d, image)->splits;
    return (splits & (splits - 1)) != 0;
}

static tn_status find_all_copies(tni_matches *m, const tni_writer *w,
                                 const image_keys *keys, tni_arena *arena,
                                 tn_err *err)
{
    size_t most = 0;
    for (uint32_t i = 0; keys->splits && i < w->d->images.n; i++)
        if (in_several(w->d, i))
            most += (size_t)__builtin_popcountll(tni_image_at(w->d, i)->splits);
    if (most == 0) return TN_OK;
    m->copies = TNI_NEW_ARRAY(arena, tni_copy, most);
    if (m->copies == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < w->d->images.n; i++)
        if (in_several(w->d, i)) find_copies(m, w, i, keys);
    return TN_OK;
}

/* No image reads back that is not one of the source's. */
static tn_status check_extra(const tni_writer *w, const tn_dataset *back,
                             const tni_matches *m, tni_arena *scratch,
                             tn_err *err)
{
    const uint32_t n = back->images.n;
    bool *matched = tni_arena_zalloc(scratch, n + (size_t)1, 1);
    if (matched == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < w->d->images.n; i++)
        if (m->first[i] != TN_NONE) matched[m->first[i]] = true;
    for (size_t i = 0; i < m->n_copies; i++) matched[m->copies[i].back] = true;
    for (uint32_t i = 0; i < n; i++)
        if (!matched[i])
            return tni_fail(err, TN_EINTERNAL,
                            "image '%.100s' reads back from what was written, "
                            "but is none of the dataset's; please report this",
                            tni_image_at(back, i)->name);
    return TN_OK;
}

static tn_status add_keys(image_keys *keys, const tn_dataset *back,
                          tni_arena *scratch, tn_err *err)
{
    char key[4600];
    for (uint32_t i = 0; i < back->images.n; i++) {
        const tni_image_row *r = tni_image_at(back, i);
        const uint32_t s = tni_first_split(r);
        const char *split = keys->splits && s != TN_NONE ? back->splits[s] : "";
        bool fresh = false;
        if (!key_of(key, sizeof key, split, r->name)) continue;
        const size_t len = strlen(key);
        char *copy = tni_arena_strndup(scratch, key, len);
        void **slot =
            copy != NULL ? tni_strmap_add(&keys->map, copy, len, &fresh) : NULL;
        if (slot == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        if (fresh) *slot = (void *)((uintptr_t)i + 1);
    }
    return TN_OK;
}

static tn_status match_all(tni_matches *out, const tni_writer *w,
                           const tn_dataset *back, image_keys *keys,
                           tni_arena *arena, tni_arena *scratch, tn_err *err)
{
    out->first = TNI_NEW_ARRAY(arena, uint32_t, w->d->images.n + 1u);
    if (out->first == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    TN_TRY(add_keys(keys, back, scratch, err));
    for (uint32_t i = 0; i < w->d->images.n; i++) {
        const uint32_t s = tni_first_split(tni_image_at(w->d, i));
        const char *split = keys->splits && s != TN_NONE ? w->d->splits[s] : "";
        out->first[i] = find_row(keys, split, w->names[i]);
    }
    TN_TRY(find_all_copies(out, w, keys, arena, err));
    return check_extra(w, back, out, scratch, err);
}

tn_status tni_match_images(tni_matches *out, const tni_writer *w,
                           const tn_dataset *back, tni_arena *arena,
                           tn_err *err)
{
    tni_arena scratch;
    tni_mem mem;
    image_keys keys;
    const bool told =
        w->file == NULL || (back->format->flags & TNI_FORMAT_FILE_SPLITS) != 0;
    memset(out, 0, sizeof *out);
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&scratch, &mem, 1 << 16);
    tni_strmap_init(&keys.map, &scratch);
    keys.splits = told && back->n_splits > 0;
    const tn_status status =
        match_all(out, w, back, &keys, arena, &scratch, err);
    tni_arena_fini(&scratch);
    tni_libc_trim();
    return status;
}

/* The images of a block; of those that are not there, all annotations were lost
 * by the format, which was counted. */
static tn_status compare_block(void *ctx, tni_block *block)
{
    const comparison *c = ctx;
    compare *p = &c->lanes[block->lane];
    p->err = &block->err;
    p->residue =
        c->residue != NULL ? tni_residue_begin_block(c->residue, block) : NULL;
    for (uint32_t i = block->begin; i < block->end; i++) {
        size_t n = 0;
        const uint32_t *list = tn_dataset_of_image(p->a, i, &n);
        bool any = false;
        tni_dataset_ahead(p->a, i + 1);
        for (size_t k = 0; k < n; k++) any = any || p->w->written[list[k]] != 0;
        if (c->matches->first[i] != TN_NONE) {
            TN_TRY(compare_image(p, i, c->matches->first[i]));
        } else if (any || n == 0) {
            return tni_fail(p->err, TN_EINTERNAL,
                            "image '%.100s' is missing from what was written; "
                            "please report this",
                            tni_image_at(p->a, i)->name);
        }
    }
    return p->residue != NULL ? tni_residue_end_block(p->residue) : TN_OK;
}

static tn_status take_block(void *ctx, const tni_block *block, tn_err *err)
{
    const comparison *c = ctx;
    if (c->residue != NULL) TN_TRY(tni_residue_take(c->residue, block, err));
    return tni_writer_progress(c->w, "verify", block->end, c->w->d->images.n,
                               err);
}

/* Classes by name, those of one name in their order: `next` of each, and where
 * the search for the name has come to. */
typedef struct positions {
    tni_strmap reached;
    uint32_t *next;
} positions;

static bool find_positions(positions *to, const tn_dataset *d, tni_arena *arena)
{
    const uint32_t n = d->classes.n;
    tni_strmap_init(&to->reached, arena);
    to->next = TNI_NEW_ARRAY(arena, uint32_t, n + 1u);
    for (uint32_t i = n; to->next != NULL && i-- > 0;) {
        const char *name = tni_class_at(d, i)->name;
        bool fresh = false;
        void **slot = tni_strmap_add(&to->reached, name, strlen(name), &fresh);
        if (slot == NULL) return false;
        to->next[i] = fresh ? n : (uint32_t)((uintptr_t)*slot - 1);
        *slot = (void *)((uintptr_t)i + 1);
    }
    return to->next != NULL;
}

/* The first class of the name from `at` on, n when there is none; what is
 * before it is not asked for again. */
static uint32_t position_of(const positions *in, const char *name, uint32_t at,
                            uint32_t n)
{
    void **slot = tni_strmap_find(&in->reached, name, strlen(name));
    if (slot == NULL) return n;
    uint32_t k = (uint32_t)((uintptr_t)*slot - 1);
    while (k < at) k = in->next[k];
    *slot = (void *)((uintptr_t)k + 1);
    return k;
}

/* The classes that are there, in their order. */
static tn_status compare_order(const compare *p, const positions *in)
{
    const bool all = (p->w->keeps & TNI_KEEPS(UNUSED)) != 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < p->a->classes.n; i++) {
        const char *name = tni_class_at(p->a, i)->name;
        const uint32_t k = position_of(in, name, at, p->b->classes.n);
        if (k < p->b->classes.n) {
            at = k + 1;
        } else if (tni_find_class(p->a, name) < i) {
            continue; /* two of one name: where names are all, one class */
        } else if (all || tni_find_class(p->b, name) != TN_NONE) {
            return tni_fail(p->err, TN_EINTERNAL,
                            "class '%.100s' %s in what was written; please "
                            "report this",
                            name,
                            tni_find_class(p->b, name) != TN_NONE
                                ? "has another place"
                                : "is missing");
        }
    }
    return TN_OK;
}

static tn_status compare_classes(const compare *p)
{
    tni_mem mem;
    tni_arena arena;
    positions in;
    if ((p->w->keeps & TNI_KEEPS(CLASS_ORDER)) == 0) return TN_OK;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 14);
    const tn_status status = find_positions(&in, p->b, &arena)
                                 ? compare_order(p, &in)
                                 : tni_fail(p->err, TN_ENOMEM, "out of memory");
    tni_arena_fini(&arena);
    return status;
}

static void lanes_fini(comparison *c)
{
    const tn_allocator *a = &tni_libc_allocator;
    for (size_t i = 0; i < c->n_lanes; i++) {
        tni_one *one = c->lanes[i].one;
        tni_pair_fini(&c->lanes[i].pair);
        if (one == NULL) continue;
        tni_one_fini(one);
        a->free(a->ctx, one, sizeof *one, _Alignof(tni_one));
    }
    a->free(a->ctx, c->lanes, c->n_lanes * sizeof(compare), _Alignof(compare));
}

static tn_status lane_init(compare *lane, const comparison *c,
                           const tni_format *format, tn_err *err)
{
    const tn_allocator *a = &tni_libc_allocator;
    lane->w = c->w;
    lane->a = c->w->d;
    lane->b = c->back;
    lane->format = format;
    if (c->back->left != NULL) {
        lane->one = a->alloc(a->ctx, sizeof *lane->one, _Alignof(tni_one));
        if (lane->one == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        TN_TRY(tni_one_init(lane->one, c->back, err));
        lane->b = lane->one->d;
    }
    tni_pair_init(&lane->pair, lane->a, lane->b);
    return TN_OK;
}

tn_status tni_compare(tni_writer *w, const tni_format *format,
                      const tn_dataset *back, const tni_matches *matches,
                      tni_residue *residue, tni_compared *result, tn_err *err)
{
    const tn_allocator *a = &tni_libc_allocator;
    comparison c = {w, matches, residue, back, NULL, tni_blocks_lanes(w->par)};
    const size_t size = c.n_lanes * sizeof(compare);
    c.lanes = a->alloc(a->ctx, size, _Alignof(compare));
    if (c.lanes == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(c.lanes, 0, size);
    tn_status status = TN_OK;
    for (size_t i = 0; i < c.n_lanes && status == TN_OK; i++)
        status = lane_init(&c.lanes[i], &c, format, err);
    const tni_blocks job = {w->d->images.n, IMAGES_OF_BLOCK, &c, compare_block,
                            take_block};
    if (status == TN_OK) status = tni_blocks_run(&job, w->par, err);
    c.lanes[0].err = err;
    c.lanes[0].residue = NULL;
    for (size_t i = 0; status == TN_OK && i < matches->n_copies; i++)
        status = compare_image(&c.lanes[0], matches->copies[i].image,
                               matches->copies[i].back);
    c.lanes[0].b = back;
    if (status == TN_OK) status = compare_classes(&c.lanes[0]);
    for (size_t i = 0; i < c.n_lanes; i++) {
        const tni_compared *r = &c.lanes[i].result;
        result->n += r->n;
        if (r->max_error > result->max_error) result->max_error = r->max_error;
    }
    lanes_fini(&c);
    return status;
}
