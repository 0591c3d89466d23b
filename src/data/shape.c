/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shape.c - the text of a shape made explicit
 *
 * A shape stays the text its file has until somebody asks. One scanner reads
 * all layouts: numbers, brackets, and anything else between them.
 */
#include "data/dataset.h"

#include "base/checked.h"
#include "base/num.h"
#include "base/num_fast.h"

#include <math.h>
#include <string.h>

/* The arrays behind a tn_shape, kept from call to call. */
typedef struct memory {
    double *xy;
    size_t *ends;
    uint8_t *holes, *visible;
    uint32_t *runs;
    size_t cap_xy, cap_ends, cap_visible, cap_runs;
} memory;

enum { MAX_POINTS = 1 << 26, MAX_DEPTH = 8 };

static void *grow(void *old, size_t *cap, size_t n, size_t elem)
{
    const tn_allocator *a = &tni_libc_allocator;
    size_t want = *cap == 0 ? 64 : *cap;
    while (want < n) want *= 2;
    void *fresh = a->alloc(a->ctx, want * elem, _Alignof(double));
    if (fresh == NULL) return NULL;
    if (old != NULL) {
        memcpy(fresh, old, *cap * elem);
        a->free(a->ctx, old, *cap * elem, _Alignof(double));
    }
    *cap = want;
    return fresh;
}

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

static memory *memory_of(tn_shape *s)
{
    if (s->memory == NULL) {
        const tn_allocator *a = &tni_libc_allocator;
        s->memory = a->alloc(a->ctx, sizeof(memory), _Alignof(memory));
        if (s->memory == NULL) return NULL;
        memset(s->memory, 0, sizeof(memory));
        s->memory_size = sizeof(memory);
    }
    return s->memory;
}

void tn_shape_fini(tn_shape *s)
{
    if (s == NULL || s->memory == NULL) return;
    const tn_allocator *a = &tni_libc_allocator;
    memory *m = s->memory;
    const size_t align = _Alignof(double);
    if (m->xy != NULL)
        a->free(a->ctx, m->xy, m->cap_xy * sizeof(double), align);
    if (m->ends != NULL) {
        const size_t cap = m->cap_ends;
        a->free(a->ctx, m->ends, cap * (sizeof(size_t) + 1), align);
    }
    if (m->visible != NULL) a->free(a->ctx, m->visible, m->cap_visible, align);
    if (m->runs != NULL)
        a->free(a->ctx, m->runs, m->cap_runs * sizeof(uint32_t), align);
    a->free(a->ctx, m, sizeof *m, _Alignof(memory));
    s->memory = NULL;
}

static tn_status add_number(tn_shape *s, memory *m, double v, tn_err *err)
{
    const size_t n = s->n_points; /* numbers while reading */
    if (n >= 2 * (size_t)MAX_POINTS)
        return tni_fail(err, TN_ELIMIT, "a shape of more than %d points",
                        (int)MAX_POINTS);
    if (n == m->cap_xy) {
        double *xy = grow(m->xy, &m->cap_xy, n + 1, sizeof(double));
        if (xy == NULL) return no_memory(err);
        m->xy = xy;
    }
    m->xy[s->n_points++] = v;
    return TN_OK;
}

/* Closes a ring at the numbers read so far. */
static tn_status add_ring(tn_shape *s, memory *m, bool hole, tn_err *err)
{
    if (s->n_rings == m->cap_ends) {
        /* Ends and the bytes of holes share a block. */
        const size_t old = m->cap_ends;
        size_t cap = old;
        char *block = grow(m->ends, &cap, s->n_rings + 1, sizeof(size_t) + 1);
        if (block == NULL) return no_memory(err);
        memmove(block + cap * sizeof(size_t), block + old * sizeof(size_t),
                old);
        m->ends = (size_t *)(void *)block;
        m->holes = (uint8_t *)block + cap * sizeof(size_t);
        m->cap_ends = cap;
    }
    m->ends[s->n_rings] = s->n_points;
    m->holes[s->n_rings] = hole;
    s->n_rings++;
    return TN_OK;
}

/* What has been met inside each open bracket. */
typedef struct level {
    size_t numbers; /* directly in it, when the bracket opened */
    bool points, rings;
} level;

static tn_status close_bracket(tn_shape *s, memory *m, tni_layout layout,
                               const level *in, level *up, tn_err *err)
{
    const size_t n = s->n_points - in->numbers;
    const size_t begin = s->n_rings > 0 ? m->ends[s->n_rings - 1] : 0;
    if (layout == TNI_LAYOUT_FLAT) {
        if (s->n_points == begin) return TN_OK;
        return add_ring(s, m, false, err);
    }
    if (!in->points && !in->rings) {
        if (n == 0) return TN_OK;
        if (n != 2)
            return tni_fail(err, TN_EFORMAT,
                            "a point has %zu numbers instead of 2", n);
        up->points = true;
        return TN_OK;
    }
    if (in->points) {
        const bool hole = up->rings;
        up->rings = true;
        return add_ring(s, m, hole, err);
    }
    return TN_OK;
}

static bool starts_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

/* As many as are plain and have a comma or a space behind them; the others are
 * left. */
static tn_status add_list(tn_shape *s, memory *m, const char **text,
                          const char *end, tn_err *err)
{
    const char *p = *text;
    /* What separates the first two, separates all. */
    while (p < end && (starts_number(*p))) p++;
    const char separator = p < end && *p == ' ' ? ' ' : ',';
    for (;;) {
        const size_t most = 2 * (size_t)MAX_POINTS;
        const size_t cap = m->cap_xy < most ? m->cap_xy : most;
        if (cap > 0) /* there is memory to point into */
            s->n_points += tni_num_list(m->xy + s->n_points, cap - s->n_points,
                                        text, end, separator);
        if (s->n_points < cap || cap == most) return TN_OK;
        double *xy = grow(m->xy, &m->cap_xy, m->cap_xy + 1, sizeof(double));
        if (xy == NULL) return no_memory(err);
        m->xy = xy;
    }
}

/* Numbers, in the order of the text, and where rings end (in numbers). */
static tn_status scan(tn_shape *s, memory *m, const tni_shape *cell,
                      tn_err *err)
{
    level stack[MAX_DEPTH + 1];
    memset(stack, 0, sizeof stack);
    unsigned depth = 0;
    const char *p = cell->text, *end = p + cell->len;
    while (p < end) {
        const char c = *p;
        if (starts_number(c)) {
            TN_TRY(add_list(s, m, &p, end, err));
            if (p == end || !starts_number(*p)) continue;
            double v = 0.0;
            size_t used = 0;
            const char *plain = tni_num_plain(&v, p, end);
            if (plain != NULL)
                used = (size_t)(plain - p);
            else if (!tni_num_parse_f64(&v, &used, p, (size_t)(end - p)) ||
                     !(v - v == 0.0))
                return tni_fail(err, TN_EFORMAT,
                                "a coordinate is no finite number: '%.*s'",
                                end - p > 24 ? 24 : (int)(end - p), p);
            TN_TRY(add_number(s, m, v, err));
            p += used;
            if (p < end && (*p == ',' || *p == ' ')) p++; /* most often */
        } else if (c == '[') {
            if (depth == MAX_DEPTH)
                return tni_fail(err, TN_ELIMIT, "a shape is nested too deep");
            depth++;
            memset(&stack[depth], 0, sizeof stack[depth]);
            stack[depth].numbers = s->n_points;
            p++;
        } else if (c == ']') {
            if (depth == 0)
                return tni_fail(err, TN_EFORMAT, "a bracket too many");
            TN_TRY(close_bracket(s, m, (tni_layout)cell->layout, &stack[depth],
                                 &stack[depth - 1], err));
            depth--;
            p++;
        } else {
            if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
                return tni_fail(err, TN_EFORMAT,
                                "a coordinate is no number: '%.*s'",
                                end - p > 24 ? 24 : (int)(end - p), p);
            p++;
        }
    }
    const size_t begin = s->n_rings > 0 ? m->ends[s->n_rings - 1] : 0;
    if (s->n_points > begin) return add_ring(s, m, false, err);
    return TN_OK;
}

/* Keypoints: every third number is the visibility. */
static tn_status split_visible(tn_shape *s, memory *m, tn_err *err)
{
    const size_t n = s->n_points / 3;
    if (n * 3 != s->n_points)
        return tni_fail(err, TN_EFORMAT,
                        "keypoints have %zu numbers, not a multiple of 3",
                        s->n_points);
    if (n > m->cap_visible) {
        uint8_t *v = grow(m->visible, &m->cap_visible, n, 1);
        if (v == NULL) return no_memory(err);
        m->visible = v;
    }
    for (size_t i = 0; i < n; i++) {
        const double v = m->xy[3 * i + 2];
        m->visible[i] = v <= 0.0 ? 0 : v < 2.0 ? 1 : 2;
        m->xy[2 * i] = m->xy[3 * i];
        m->xy[2 * i + 1] = m->xy[3 * i + 1];
    }
    s->n_points = 2 * n;
    s->visible = m->visible;
    s->n_rings = 0;
    return add_ring(s, m, false, err);
}

double tni_round_places(double v, unsigned n)
{
    static const double powers[TNI_MAX_PLACES + 1] = {1e0, 1e1, 1e2, 1e3, 1e4,
                                                      1e5, 1e6, 1e7, 1e8, 1e9};
    const double scaled = v * powers[n] + 0.5;
    double whole = scaled;
    if (fabs(scaled) < 4503599627370496.0) { /* floor, without a call */
        whole = (double)(int64_t)scaled;
        if (whole > scaled) whole -= 1.0;
    }
    const double r = whole / powers[n];
    return r == 0.0 ? 0.0 : r;
}

tn_status tni_shape_read(tn_shape *s, const tni_shape *cell, double w, double h,
                         tn_err *err)
{
    memory *m = memory_of(s);
    if (m == NULL) return no_memory(err);
    s->kind = (tn_shape_kind)cell->kind;
    s->xy = NULL;
    s->visible = NULL;
    s->runs = NULL;
    s->n_points = s->n_rings = s->n_runs = 0;
    s->text.data = cell->text;
    s->text.size = cell->len;
    if (cell->layout == TNI_LAYOUT_NAME) return TN_OK;
    if (cell->layout == TNI_LAYOUT_RLE) {
        const tni_span text = {cell->text, cell->len};
        return tni_rle_read(s, text, err);
    }
    TN_TRY(scan(s, m, cell, err));
    if (cell->dims == 3) TN_TRY(split_visible(s, m, err));
    /* An ellipse has its angle as a fifth number, of a pair with 0. */
    if (cell->kind == TN_SHAPE_ELLIPSE && s->n_points == 5)
        TN_TRY(add_number(s, m, 0.0, err));
    if (s->n_points % 2 != 0)
        return tni_fail(err, TN_EFORMAT,
                        "a shape has %zu numbers, which is not pairs",
                        s->n_points);
    if (cell->scale != TN_SCALE_PIXEL) {
        const double by = cell->scale == TN_SCALE_PERCENT ? 0.01 : 1.0;
        const size_t n =
            cell->kind == TN_SHAPE_ELLIPSE && s->n_points > 4 ? 4 : s->n_points;
        const double sides[2] = {w * by, h * by};
        for (size_t i = 0; i < n; i += 2) { /* n is even */
            m->xy[i] *= sides[0];
            m->xy[i + 1] *= sides[1];
        }
    }
    for (size_t i = 0; i < s->n_rings; i++) {
        if (cell->kind == TN_SHAPE_ELLIPSE && m->ends[i] == 5) m->ends[i] = 6;
        if (m->ends[i] % 2 != 0)
            return tni_fail(err, TN_EFORMAT,
                            "part %zu of a shape has an odd number of numbers",
                            i);
        m->ends[i] /= 2;
    }
    s->n_points /= 2;
    s->xy = m->xy;
    s->ring_ends = m->ends;
    s->ring_holes = m->holes;
    return TN_OK;
}

/* --- runs ---------------------------------------------------------------- */

static tn_status add_run(tn_shape *s, memory *m, int64_t run, int64_t *sum,
                         tn_err *err)
{
    if (run < 0 || run > UINT32_MAX || !tni_add_i64(*sum, run, sum) ||
        *sum > s->width * s->height)
        return tni_fail(err, TN_EFORMAT,
                        "the runs of a mask leave its %lld x %lld pixels",
                        (long long)s->width, (long long)s->height);
    if (s->n_runs == m->cap_runs) {
        uint32_t *runs =
            grow(m->runs, &m->cap_runs, s->n_runs + 1, sizeof(uint32_t));
        if (runs == NULL) return no_memory(err);
        m->runs = runs;
    }
    m->runs[s->n_runs++] = (uint32_t)run;
    return TN_OK;
}

/* COCO's text: five bits a character, from the third run on as differences to
 * the one two before. */
static tn_status read_compressed(tn_shape *s, memory *m, const char *p,
                                 size_t len, int64_t *sum, tn_err *err)
{
    const char *end = p + len;
    while (p < end) {
        uint64_t x = 0;
        unsigned shift = 0;
        for (bool more = true; more; p++) {
            if (p >= end || *p < 48 || *p > 111 || shift > 55)
                return tni_fail(err, TN_EFORMAT,
                                "the text of a mask is broken at its byte %zu",
                                len - (size_t)(end - p));
            const unsigned c = (unsigned)(*p - 48);
            x |= (uint64_t)(c & 31) << shift;
            more = (c & 32) != 0;
            shift += 5;
            if (!more && (c & 16) != 0) x |= ~UINT64_C(0) << shift;
        }
        int64_t run = (int64_t)x;
        if (s->n_runs > 2 && !tni_add_i64(run, m->runs[s->n_runs - 2], &run))
            return tni_fail(err, TN_EFORMAT, "a run of a mask is too long");
        TN_TRY(add_run(s, m, run, sum, err));
    }
    return TN_OK;
}

static bool read_size(tni_json *j, tn_shape *s)
{
    int64_t size[2] = {0, 0};
    size_t n = 0;
    if (!tni_json_enter(j, '[')) return false;
    while (tni_json_item(j)) {
        int64_t v = 0;
        if (!tni_json_i64(j, &v)) return false;
        if (n < 2) size[n] = v;
        n++;
    }
    if (j->status == TN_OK && (n != 2 || size[0] < 0 || size[1] < 0 ||
                               size[0] > 1 << 20 || size[1] > 1 << 20))
        return tni_json_fail(j, j->p,
                             "the size of a mask is not [height, width], each "
                             "at most 1048576");
    s->height = size[0];
    s->width = size[1];
    return j->status == TN_OK;
}

tn_status tni_rle_read(tn_shape *s, tni_span json, tn_err *err)
{
    tni_json j;
    tni_span key, counts = {NULL, 0};
    char kind = 0;
    bool size = false;
    memory *m = memory_of(s);
    if (m == NULL) return no_memory(err);
    s->kind = TN_SHAPE_RLE;
    s->n_runs = 0;
    s->width = s->height = 0;
    tni_json_init(&j, json.p, json.len, 8, err);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            if (tni_span_is(key, "size")) {
                size = read_size(&j, s);
            } else if (tni_span_is(key, "counts")) {
                kind = tni_json_peek(&j);
                (void)!tni_json_skip(&j, &counts);
            } else {
                (void)!tni_json_skip(&j, NULL);
            }
        }
    if (j.status != TN_OK) return j.status;
    if (!size || (kind != '"' && kind != '['))
        return tni_fail(err, TN_EFORMAT,
                        "a mask has no 'size', or no 'counts' that are a text "
                        "or a list");
    int64_t sum = 0;
    if (kind == '"') {
        /* A backslash is among the characters: it comes escaped. */
        const tni_span text = {counts.p + 1, counts.len - 2};
        if (memchr(text.p, '\\', text.len) == NULL) {
            TN_TRY(read_compressed(s, m, text.p, text.len, &sum, err));
        } else {
            tni_mem mem;
            tni_arena arena;
            size_t len = 0;
            tni_mem_init(&mem, NULL, 0);
            tni_arena_init(&arena, &mem, 4096);
            const char *plain = tni_json_unescape(&arena, text, &len);
            const tn_status status =
                plain != NULL ? read_compressed(s, m, plain, len, &sum, err)
                              : no_memory(err);
            tni_arena_fini(&arena);
            TN_TRY(status);
        }
    } else {
        tni_json_init(&j, counts.p, counts.len, 2, err);
        if (tni_json_enter(&j, '['))
            while (tni_json_item(&j)) {
                int64_t run = 0;
                if (tni_json_i64(&j, &run))
                    TN_TRY(add_run(s, m, run, &sum, err));
            }
        if (j.status != TN_OK) return j.status;
    }
    if (sum != s->width * s->height)
        return tni_fail(err, TN_EFORMAT,
                        "the runs of a mask have %lld pixels, its size %lld x "
                        "%lld asks for %lld",
                        (long long)sum, (long long)s->width,
                        (long long)s->height,
                        (long long)(s->width * s->height));
    s->runs = m->runs;
    return TN_OK;
}

/* --- by annotation ------------------------------------------------------- */

/* Edges of the box in its own units. */
static void edges(double out[4], const double b[4], uint8_t form)
{
    memcpy(out, b, 4 * sizeof *out);
    if (form == TN_BOX_XYWH) {
        out[2] = b[0] + b[2];
        out[3] = b[1] + b[3];
    } else if (form == TN_BOX_CXCYWH) {
        out[0] = b[0] - b[2] / 2;
        out[1] = b[1] - b[3] / 2;
        out[2] = b[0] + b[2] / 2;
        out[3] = b[1] + b[3] / 2;
    }
}

static void runs_box(const tn_shape *s, double box[4])
{
    int64_t at = 0, x1 = s->width, x2 = 0, y1 = s->height, y2 = 0;
    for (size_t i = 0; i < s->n_runs; i++) {
        const int64_t to = at + s->runs[i];
        if (i % 2 == 1 && to > at) {
            const int64_t cx1 = at / s->height, cx2 = (to - 1) / s->height;
            const bool across = cx1 != cx2;
            const int64_t cy1 = across ? 0 : at % s->height;
            const int64_t cy2 = across ? s->height - 1 : (to - 1) % s->height;
            if (cx1 < x1) x1 = cx1;
            if (cx2 + 1 > x2) x2 = cx2 + 1;
            if (cy1 < y1) y1 = cy1;
            if (cy2 + 1 > y2) y2 = cy2 + 1;
        }
        at = to;
    }
    if (x2 == 0) x1 = y1 = 0;
    box[0] = (double)x1;
    box[1] = (double)y1;
    box[2] = (double)x2;
    box[3] = (double)y2;
}

bool tni_shape_box(const tn_shape *s, double box[4])
{
    if (s->kind == TN_SHAPE_RLE) {
        runs_box(s, box);
        return true;
    }
    if (s->kind == TN_SHAPE_ELLIPSE && s->n_points >= 2) {
        const double turn = s->n_points == 3 ? s->xy[4] : 0.0;
        const double c = cos(turn * 0.017453292519943295);
        const double n = sin(turn * 0.017453292519943295);
        const double rx =
            sqrt(s->xy[2] * c * s->xy[2] * c + s->xy[3] * n * s->xy[3] * n);
        const double ry =
            sqrt(s->xy[2] * n * s->xy[2] * n + s->xy[3] * c * s->xy[3] * c);
        box[0] = s->xy[0] - rx;
        box[1] = s->xy[1] - ry;
        box[2] = s->xy[0] + rx;
        box[3] = s->xy[1] + ry;
        return true;
    }
    if (s->n_points == 0) return false;
    double low[2] = {s->xy[0], s->xy[1]}, high[2] = {s->xy[0], s->xy[1]};
    for (size_t i = 1; i < s->n_points; i++)
        for (size_t k = 0; k < 2; k++) {
            const double v = s->xy[2 * i + k];
            low[k] = v < low[k] ? v : low[k];
            high[k] = v > high[k] ? v : high[k];
        }
    memcpy(box, low, sizeof low);
    memcpy(box + 2, high, sizeof high);
    return true;
}

static bool to_pixels(const tn_dataset *d, uint32_t image, uint8_t scale,
                      double box[4])
{
    double w = 0.0, h = 0.0;
    if (scale == TN_SCALE_PIXEL) return true;
    if (!tni_image_extent(d, image, &w, &h)) return false;
    const double by = scale == TN_SCALE_PERCENT ? 0.01 : 1.0;
    box[0] *= w * by;
    box[1] *= h * by;
    box[2] *= w * by;
    box[3] *= h * by;
    return true;
}

/* Edges in pixels, or in units where the box is relative to its image. */
static void box_in_scale(const tn_dataset *d, uint32_t i, uint32_t flags,
                         double box[4])
{
    edges(box, tni_ann_at(d, i)->box, tni_ann_form(flags));
    for (int k = 0; k < 4 && tni_ann_scale(flags) == TN_SCALE_PERCENT; k++)
        box[k] *= 0.01;
}

bool tni_box_in_units(const tn_dataset *d, uint32_t i, double box[4])
{
    const uint32_t flags = *tni_flags_at(d, i);
    double w = 0.0, h = 0.0;
    if ((flags & TN_HAS_BOX) != 0 && tni_ann_scale(flags) != TN_SCALE_PIXEL) {
        box_in_scale(d, i, flags, box);
        return true;
    }
    if (!tni_image_extent(d, tni_ann_at(d, i)->image, &w, &h) ||
        tn_dataset_box(d, i, box) == 0)
        return false;
    box[0] /= w;
    box[1] /= h;
    box[2] /= w;
    box[3] /= h;
    return true;
}

bool tni_box_is_hull(const tn_dataset *d, uint32_t i, const tni_shape *cell,
                     const tn_shape *s)
{
    const uint32_t flags = *tni_flags_at(d, i);
    double box[4], hull[4];
    if ((flags & TN_HAS_BOX) == 0) return true;
    if (!tni_shape_box(s, hull)) return false;
    edges(box, tni_ann_at(d, i)->box, tni_ann_form(flags));
    uint8_t scale = cell->scale;
    if (scale != tni_ann_scale(flags)) {
        const uint32_t image = tni_ann_at(d, i)->image;
        if (!to_pixels(d, image, scale, hull) ||
            !to_pixels(d, image, tni_ann_scale(flags), box))
            return false;
        scale = TN_SCALE_PIXEL;
    }
    /* Hulls are often printed with two decimals. */
    const double most = scale == TN_SCALE_PIXEL ? 0.01 : 1e-5;
    for (int k = 0; k < 4; k++)
        if (!(fabs(box[k] - hull[k]) <= most)) return false;
    return true;
}

int tn_dataset_box(const tn_dataset *d, size_t annotation, double box[4])
{
    if (annotation >= d->anns.n) return 0;
    const uint32_t i = (uint32_t)annotation;
    const uint32_t flags = *tni_flags_at(d, i);
    const uint32_t image = tni_ann_at(d, i)->image;
    if ((flags & TN_HAS_BOX) != 0) {
        edges(box, tni_ann_at(d, i)->box, tni_ann_form(flags));
        return to_pixels(d, image, tni_ann_scale(flags), box);
    }
    if ((flags & TN_HAS_SHAPE) == 0) return 0;
    tn_shape s = TN_SHAPE_INIT;
    const bool ok =
        tn_dataset_shape(d, i, &s, NULL) == TN_OK && tni_shape_box(&s, box);
    tn_shape_fini(&s);
    return ok;
}

/* The corners of a box that is turned about its centre. */
static tn_status turned_box(const tn_dataset *d, uint32_t i, tn_shape *s,
                            tn_err *err)
{
    double box[4], angle = 0.0;
    memory *m = memory_of(s);
    if (m == NULL) return no_memory(err);
    if (tn_dataset_box(d, i, box) == 0 ||
        tn_dataset_num(d, i, TN_NUM_ANGLE, &angle) == 0)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "a turned box is relative to an image of unknown size");
    const double cx = (box[0] + box[2]) / 2, cy = (box[1] + box[3]) / 2;
    const double rad = angle * 0.017453292519943295;
    const double c = cos(rad), n = sin(rad);
    s->n_points = s->n_rings = 0;
    for (int k = 0; k < 4; k++) {
        const double x = (k == 0 || k == 3 ? box[0] : box[2]) - cx;
        const double y = (k < 2 ? box[1] : box[3]) - cy;
        TN_TRY(add_number(s, m, cx + x * c - y * n, err));
        TN_TRY(add_number(s, m, cy + x * n + y * c, err));
    }
    TN_TRY(add_ring(s, m, false, err));
    m->ends[0] = 4;
    s->kind = TN_SHAPE_QUAD;
    s->n_points = 4;
    s->xy = m->xy;
    s->ring_ends = m->ends;
    s->ring_holes = m->holes;
    s->visible = NULL;
    s->n_runs = 0;
    return TN_OK;
}

static tn_status explicit_shape(const tn_dataset *d, uint32_t i,
                                const tni_sparse *table, tn_shape *s,
                                tn_err *err)
{
    const tni_shape *cell = tni_sparse_find(table, i, 0);
    if (cell == NULL)
        return tni_fail(err, TN_ENOTFOUND, "annotation %u has none",
                        (unsigned)i);
    double w = 1.0, h = 1.0;
    const uint32_t image = tni_ann_at(d, i)->image;
    if (cell->scale != TN_SCALE_PIXEL && !tni_image_extent(d, image, &w, &h))
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the shape of annotation %u is relative to the size "
                        "of its image, which is not known",
                        (unsigned)i);
    const tn_status status = tni_shape_read(s, cell, w, h, err);
    if (status == TN_OK && cell->places > 0) {
        const memory *m = s->memory;
        for (size_t k = 0; k < 2 * s->n_points; k++)
            m->xy[k] = tni_round_places(m->xy[k], cell->places - 1u);
    }
    if (status != TN_OK && err != NULL) {
        const tn_place p = tni_place(d, tni_ann_at(d, i)->where);
        err->offset = p.offset;
        tni_err_where(err, "%s, byte %llu", p.file != NULL ? p.file : "?",
                      (unsigned long long)p.offset);
    }
    return status;
}

tn_status tn_dataset_shape(const tn_dataset *d, size_t annotation, tn_shape *s,
                           tn_err *err)
{
    if (annotation >= d->anns.n)
        return tni_fail(err, TN_EINVAL, "there is no annotation %zu",
                        annotation);
    const uint32_t i = (uint32_t)annotation;
    const uint32_t flags = *tni_flags_at(d, i);
    if ((flags & TN_HAS_SHAPE) == 0 && (flags & TN_HAS_ANGLE) != 0)
        return turned_box(d, i, s, err);
    return explicit_shape(d, i, &d->shape, s, err);
}

tn_shape_kind tn_dataset_shape_kind(const tn_dataset *d, size_t annotation)
{
    if (annotation >= d->anns.n) return TN_SHAPE_NONE;
    const uint32_t i = (uint32_t)annotation, flags = *tni_flags_at(d, i);
    if ((flags & TN_HAS_SHAPE) == 0)
        return (flags & TN_HAS_ANGLE) != 0 ? TN_SHAPE_QUAD : TN_SHAPE_NONE;
    const tni_shape *cell = tni_sparse_find(&d->shape, i, 0);
    return cell != NULL ? (tn_shape_kind)cell->kind : TN_SHAPE_NONE;
}

tn_status tn_dataset_keypoints(const tn_dataset *d, size_t annotation,
                               tn_shape *s, tn_err *err)
{
    if (annotation >= d->anns.n)
        return tni_fail(err, TN_EINVAL, "there is no annotation %zu",
                        annotation);
    return explicit_shape(d, (uint32_t)annotation, &d->keypoints, s, err);
}
