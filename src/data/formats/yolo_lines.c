/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yolo_lines.c - lines of YOLO's label files
 *
 * What a line is follows from how many numbers it has: 5 box, 6 box and score,
 * more and odd an outline - or, with a kpt_shape, a box and keypoints. Nine may
 * be four points of an outline or of an oriented box: only the caller knows.
 */
#include "data/formats/yolo.h"

#include "base/num.h"
#include "base/num_fast.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static tn_status fail_line(const tni_yolo_line *line, tn_err *err,
                           const char *what, const char *at, size_t len)
{
    if (err != NULL) {
        err->line = line->number;
        err->offset = line->where & ((UINT64_C(1) << 40) - 1);
    }
    const tn_status status =
        tni_fail(err, TN_EFORMAT, "line %d: '%.*s' %s", line->number,
                 len > 60 ? 60 : (int)len, at, what);
    tni_err_where(err, "%s", line->file);
    return status;
}

tn_status tni_yolo_list_fail(const tni_yolo_list *list, uint64_t at,
                             const char *what, tn_err *err)
{
    const char *p = list->text.p + at;
    const size_t left = list->text.len - (size_t)at;
    size_t len = 0;
    int number = 1;
    while (len < left && len < 100 && (unsigned char)p[len] >= ' ') len++;
    for (const char *q = list->text.p; q < p; q++) number += *q == '\n';
    if (err != NULL) {
        err->line = number;
        err->offset = at;
    }
    const tn_status status = tni_fail(err, TN_EFORMAT, "line %d: '%.*s' %s",
                                      number, (int)len, p, what);
    tni_err_where(err, "%s", list->path);
    return status;
}

void tni_yolo_text_init(tni_yolo_text *t, const char *text, size_t size)
{
    const char *end = text + size;
    while (end > text && end[-1] == '\0') end--;
    const bool mark = end - text >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    t->p = mark ? text + 3 : text;
    t->end = end;
    t->n_zeros = size - (size_t)(end - text);
    t->number = 0;
}

bool tni_yolo_next_line(tni_yolo_text *t, tni_yolo_line *line)
{
    while (t->p < t->end) {
        const char *q = t->p;
        const char *nl = memchr(q, '\n', (size_t)(t->end - q));
        const char *stop = nl != NULL ? nl : t->end;
        t->p = nl != NULL ? nl + 1 : t->end;
        t->number++;
        while (q < stop && (*q == ' ' || *q == '\t' || *q == '\r')) q++;
        if (q == stop) continue;
        line->p = q;
        line->len = (size_t)(stop - q);
        line->number = t->number;
        return true;
    }
    return false;
}

/* The class: a whole number, which some tools write as "0.0". */
static bool read_class(const char *p, size_t len, int64_t *cls)
{
    size_t used = 0;
    double v = 0.0;
    if (tni_num_parse_i64(cls, &used, p, len) && used == len) return *cls >= 0;
    if (!tni_num_parse_f64(&v, &used, p, len) || used != len) return false;
    if (!(v >= 0.0 && v <= 2147483647.0) || v != (double)(int64_t)v)
        return false;
    *cls = (int64_t)v;
    return true;
}

/* The next token that is a finite number; false: it is none. */
static bool read_number(double *v, const char *begin, const char *end)
{
    size_t used = 0;
    if (tni_num_plain(v, begin, end) == end) return true;
    return tni_num_parse_f64(v, &used, begin, (size_t)(end - begin)) &&
           begin + used == end && *v - *v == 0.0;
}

/* The plain numbers of an outline, which are most of a file: how many. They are
 * read when somebody asks for the outline; here only the last of them is. */
static size_t pass_plain(const char **text, const char *end, tni_yolo_tokens *t,
                         const char *line)
{
    double values[32];
    size_t n = 0, all = 0;
    while (*text < end && is_blank(**text)) ++*text;
    *text = tni_num_pass(*text, end, &all);
    do {
        n = tni_num_list(values, 32, text, end, ' ');
        all += n;
    } while (n == 32);
    if (all == 0) return 0;
    const char *p = *text;
    while (is_blank(p[-1])) p--;
    t->end = (uint32_t)(p - line);
    while (!is_blank(p[-1])) p--;
    t->last_begin = (uint32_t)(p - line);
    (void)read_number(&t->last, p, line + t->end);
    return all;
}

tn_status tni_yolo_split_line(const tni_yolo_line *line, tni_yolo_tokens *t,
                              tn_err *err)
{
    const char *p = line->p, *end = line->p + line->len;
    size_t n = 0;
    memset(t, 0, sizeof *t);
    for (;; n++) {
        if (n == 7) n += pass_plain(&p, end, t, line->p);
        while (p < end && is_blank(*p)) p++;
        if (p == end) break;
        const char *begin = p;
        while (p < end && !is_blank(*p)) p++;
        const uint32_t at = (uint32_t)(begin - line->p);
        if (n == 0) {
            if (!read_class(begin, (size_t)(p - begin), &t->cls))
                return fail_line(line, err, "is not the number of a class",
                                 begin, (size_t)(p - begin));
            continue;
        }
        double v = 0.0;
        if (!read_number(&v, begin, p))
            return fail_line(line, err,
                             "is not a finite number with a decimal point",
                             begin, (size_t)(p - begin));
        if (n == 1) t->begin = at;
        if (n == 5) t->keypoints = at;
        if (n <= 6) t->first[n - 1] = v;
        t->last = v;
        t->last_begin = at;
        t->end = (uint32_t)(p - line->p);
    }
    t->n = n > 0 ? (uint32_t)n - 1 : 0;
    if (t->n == 0)
        return fail_line(line, err, "is a class without a box", line->p,
                         line->len);
    return TN_OK;
}

/* Beyond what Ultralytics takes: it leaves out the image and all its labels. */
static tn_status note_range(tn_dataset *d, const tni_yolo_line *line,
                            const double *v, size_t n, tn_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] > 1.01 || v[i] < -0.01)
            return tni_note_add(d, line->where, "out-of-range", err,
                                "a coordinate is %g, expected 0 to 1; "
                                "Ultralytics would leave out the image",
                                v[i]);
    return TN_OK;
}

/* The text of the line between two places. */
static tn_status add_shape(tn_dataset *d, uint32_t ann,
                           const tni_yolo_line *line, uint32_t begin,
                           uint32_t end, tn_shape_kind kind, uint32_t dims,
                           tn_err *err)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    s.text = line->p + begin;
    s.len = end - begin;
    s.kind = (uint8_t)kind;
    s.scale = TN_SCALE_UNIT;
    s.dims = (uint8_t)dims;
    return dims != 0 ? tni_set_keypoints(d, ann, &s, err)
                     : tni_set_shape(d, ann, &s, err);
}

static tn_status add_pose(tn_dataset *d, const tni_yolo_config *c, tni_ann *a,
                          const tni_yolo_tokens *t, const tni_yolo_line *line,
                          uint32_t *ann, tn_err *err)
{
    const size_t want = 4 + (size_t)c->n_kpts * c->kpt_dims;
    if (t->n != want && t->n != want + 1)
        return fail_line(line, err,
                         "does not have a box and the keypoints of kpt_shape",
                         line->p, line->len);
    a->flags |= TN_HAS_BOX;
    memcpy(a->box, t->first, sizeof a->box);
    TN_TRY(tni_add_annotation(d, a, ann, err));
    const uint32_t end = t->n == want ? t->end : t->last_begin;
    TN_TRY(add_shape(d, *ann, line, t->keypoints, end, TN_SHAPE_POINTS,
                     c->kpt_dims, err));
    return t->n == want ? TN_OK
                        : tni_set_num(d, *ann, TN_NUM_SCORE, t->last, err);
}

tn_status tni_yolo_add_line(tn_dataset *d, const tni_yolo_config *c,
                            uint32_t image, const tni_yolo_line *line,
                            const tni_yolo_tokens *t, tn_err *err)
{
    tni_ann a;
    uint32_t ann = TN_NONE;
    memset(&a, 0, sizeof a);
    a.image = image;
    a.where = line->where;
    a.flags = TNI_FORM(TN_BOX_CXCYWH) | TNI_SCALE(TN_SCALE_UNIT);
    TN_TRY(tni_yolo_class(d, c, t->cls, line->where, &a.class_index, err));
    TN_TRY(note_range(d, line, t->first, t->n < 6 ? t->n : 6, err));
    if (c->task == TNI_YOLO_POSE) return add_pose(d, c, &a, t, line, &ann, err);
    const bool outline = t->n >= 6 && t->n % 2 == 0;
    if (t->n == 4 || (t->n == 5 && c->task != TNI_YOLO_OBB)) {
        a.flags |= TN_HAS_BOX;
        memcpy(a.box, t->first, sizeof a.box);
        TN_TRY(tni_add_annotation(d, &a, &ann, err));
        return t->n == 5 ? tni_set_num(d, ann, TN_NUM_SCORE, t->last, err)
                         : TN_OK;
    }
    if (c->task == TNI_YOLO_OBB && (t->n == 8 || t->n == 9)) {
        TN_TRY(tni_add_annotation(d, &a, &ann, err));
        TN_TRY(add_shape(d, ann, line, t->begin,
                         t->n == 8 ? t->end : t->last_begin, TN_SHAPE_QUAD, 0,
                         err));
        return t->n == 9 ? tni_set_num(d, ann, TN_NUM_SCORE, t->last, err)
                         : TN_OK;
    }
    if (!outline || c->task == TNI_YOLO_DETECT || c->task == TNI_YOLO_OBB)
        return fail_line(
            line, err,
            c->task == TNI_YOLO_DETECT
                ? "is no box: expected class, centre x, centre y, width, height"
            : c->task == TNI_YOLO_OBB
                ? "is no oriented box: expected a class and four corners"
                : "is neither a box (5 numbers) nor an outline (7, 9, 11 ...)",
            line->p, line->len);
    TN_TRY(tni_add_annotation(d, &a, &ann, err));
    return add_shape(d, ann, line, t->begin, t->end, TN_SHAPE_POLYGON, 0, err);
}

tn_status tni_yolo_note_zeros(tn_dataset *d, uint32_t source, uint64_t at,
                              tn_err *err)
{
    return tni_note_add(d, tni_where(source, at), "trailing-zeros", err,
                        "the file ends in zero bytes");
}

tn_status tni_yolo_add_file(tn_dataset *d, const tni_yolo_config *c,
                            const tni_yolo_file *file, bool *any, tn_err *err)
{
    const char *text = file->text.p;
    tni_yolo_text t;
    tni_yolo_line line;
    tni_yolo_tokens tokens;
    tni_yolo_text_init(&t, text, file->text.len);
    if (t.n_zeros > 0)
        TN_TRY(tni_yolo_note_zeros(d, file->source, file->text.len - t.n_zeros,
                                   err));
    while (tni_yolo_next_line(&t, &line)) {
        line.where = tni_where(file->source, (uint64_t)(line.p - text));
        line.file = file->path;
        *any = true;
        TN_TRY(tni_yolo_split_line(&line, &tokens, err));
        TN_TRY(tni_yolo_add_line(d, c, file->image, &line, &tokens, err));
    }
    return TN_OK;
}

/* --- left in its file ---------------------------------------------------- */

/* Numbers of classes are looked up for one thread. */
typedef struct left {
    tni_yolo_config config;
    tni_yolo_numbers numbers;
} left;

static left *left_of(tni_one *one)
{
    if (one->state != NULL) return one->state;
    left *l = TNI_NEW(&one->d->arena, left);
    if (l == NULL) return NULL;
    l->config = *(const tni_yolo_config *)one->whole->left;
    l->config.numbers = &l->numbers;
    tni_idmap_init(&l->numbers.ids, &one->d->arena);
    one->state = l;
    return l;
}

tn_status tni_yolo_read_image(tni_one *one, uint32_t image, tn_err *err)
{
    bool there = false, any = false;
    tni_yolo_file file = {0, 0, NULL, {"", 0}};
    file.path =
        tni_place(one->whole, tni_image_at(one->whole, image)->where).file;
    left *l = left_of(one);
    if (l == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    if (file.path == NULL) return TN_OK;
    TN_TRY(tni_one_file(one, file.path, &file.text, &there, err));
    if (file.text.len >= UINT32_MAX)
        return tni_fail(err, TN_ELIMIT, "%s: over 4 GiB", file.path);
    TN_TRY(tni_yolo_add_file(one->d, &l->config, &file, &any, err));
    if (there && !any) tni_image_at(one->d, 0)->state = TN_STATE_EMPTY;
    return TN_OK;
}

/* How many numbers the text of a shape has. */
static size_t count_numbers(const tni_shape *s)
{
    size_t n = 0;
    bool in = false;
    for (uint32_t i = 0; i < s->len; i++) {
        const bool blank = is_blank(s->text[i]);
        if (!blank && !in) n++;
        in = !blank;
    }
    return n;
}

tn_status tni_yolo_settle(tni_reader *r, tni_yolo_config *c, uint32_t first,
                          tn_err *err)
{
    tn_dataset *d = r->d;
    static const char *const names[] = {"detect", "detect", "segment", "pose",
                                        "obb"};
    uint64_t boxes = 0, fours = 0, others = 0;
    uint64_t four_at = 0;
    for (uint32_t i = 0; i < d->shape.keys.n; i++) {
        if (*TNI_ROW(&d->shape.keys, uint32_t, i) < first) continue;
        const tni_shape *s = TNI_ROW(&d->shape.values, tni_shape, i);
        /* Whether all have four points decides only what nobody has said. */
        if (c->task != TNI_YOLO_AUTO || others > 0 || count_numbers(s) != 8) {
            others++;
            continue;
        }
        if (fours++ == 0)
            four_at =
                tni_ann_at(d, *TNI_ROW(&d->shape.keys, uint32_t, i))->where;
    }
    for (uint32_t i = first; i < d->anns.n; i++)
        if ((*tni_flags_at(d, i) & TN_HAS_BOX) != 0) boxes++;
    if (c->task == TNI_YOLO_AUTO) {
        if (fours > 0 && others == 0) {
            const tn_place p = tni_place(d, four_at);
            if (err != NULL) err->offset = p.offset;
            tni_err_where(err, "%s, byte %llu", p.file != NULL ? p.file : "?",
                          (unsigned long long)p.offset);
            return tni_fail(err, TN_EINVAL,
                            "lines of 9 numbers may be oriented boxes or "
                            "outlines of four points; say which (--from "
                            "yolo:obb or yolo:segment)");
        }
        c->task = others > 0 ? TNI_YOLO_SEGMENT : TNI_YOLO_DETECT;
    }
    if (c->task == TNI_YOLO_SEGMENT && boxes > 0 && fours + others > 0)
        TN_TRY(tni_note_add(d, 0, "mixed-boxes-outlines", err,
                            "%llu boxes are among %llu outlines; Ultralytics "
                            "would drop all outlines",
                            (unsigned long long)boxes,
                            (unsigned long long)(fours + others)));
    for (uint32_t i = 0; c->n_kpts > 0 && i < d->classes.n; i++)
        if (tni_class_at(d, i)->n_keypoints == 0)
            tni_class_at(d, i)->n_keypoints = c->n_kpts;
    d->variant = names[c->task];
    return TN_OK;
}
