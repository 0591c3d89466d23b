/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coco_ahead.c - a long list of annotations by several threads
 *
 * The text is cut into pieces of one size. Each is read from the first place in
 * it that looks like an annotation to the first annotation that begins behind
 * it. The caller's thread takes the pieces in order: where one was begun at the
 * very byte that the one before it came to, its records are those that would
 * have been read there; where it was not (a bracket inside a text had looked
 * like an annotation), and from an error on, that thread reads itself.
 */
#include "data/formats/coco_reader.h"

enum {
    PIECE = 512 << 10,
    /* Pieces that had to be read again, out of at least so many, after which
     * nobody reads ahead any more. */
    ENOUGH = 8
};

typedef struct ahead {
    tni_coco_in *c;
    const char *first; /* of the pieces */
    uint32_t n_taken, n_wrong;
    bool over; /* the list is */
} ahead;

/* In the bytes of a block; n records follow. */
typedef struct piece {
    const char *begin, *at; /* NULL: none; where it came to */
    uint32_t n, n_again;
    bool closed; /* the list, at `at` */
} piece;

typedef struct found {
    tni_coco_record record;
    bool again; /* to be read by who may change things */
} found;

static const char *end_of(const ahead *a, uint32_t nth)
{
    const char *end = a->c->j.end;
    const size_t left = (size_t)(end - a->first);
    const uint64_t to = ((uint64_t)nth + 1) * PIECE;
    return to < left ? a->first + to : end;
}

static const char *back_over_space(const char *p)
{
    do p--;
    while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t');
    return p;
}

/* The first object behind another one and a comma; NULL: none. There is an
 * object before `p`. */
static const char *find_object(const char *p, const char *until)
{
    while (p < until && (p = memchr(p, '{', (size_t)(until - p))) != NULL) {
        const char *comma = back_over_space(p);
        if (*comma == ',' && *back_over_space(comma) == '}') return p;
        p++;
    }
    return NULL;
}

/* Reads one and passes on to the next; false: an error, which is another's. */
static bool read_one(tni_coco_in *c, found *f, piece *p)
{
    const tni_json begin = c->j;
    const tn_status status = tni_coco_read_record(c, &f->record);
    f->again = status == TN_EUNSUPPORTED || f->record.segments.p != NULL;
    if (f->again) {
        c->j = begin;
        (void)!tni_json_skip(&c->j, NULL);
        f->record.begin = begin.p;
        p->n_again++;
    }
    const bool more = tni_json_item(&c->j);
    p->closed = !more && c->j.status == TN_OK;
    return c->j.status == TN_OK;
}

/* Any thread. */
static tn_status work(void *ctx, tni_block *b)
{
    const ahead *a = ctx;
    const char *until = end_of(a, b->begin);
    const char *from = a->first + (size_t)b->begin * PIECE;
    tni_coco_in c = *a->c;
    piece p = {b->begin == 0 ? from : find_object(from, until), NULL, 0, 0,
               false};
    c.ahead = true;
    c.err = c.j.err = NULL;
    c.j.p = p.at = p.begin;
    TN_TRY(tni_block_write(b, &p, sizeof p, &b->err));
    while (p.begin != NULL && p.at < until && !p.closed) {
        found f;
        if (!read_one(&c, &f, &p)) break;
        TN_TRY(tni_block_write(b, &f, sizeof f, &b->err));
        p.at = c.j.p;
        p.n++;
    }
    memcpy(b->bytes, &p, sizeof p);
    return TN_OK;
}

static tn_status take_found(tni_coco_in *c, const char *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        found f;
        memcpy(&f, bytes + i * sizeof f, sizeof f);
        c->j.p = f.again ? f.record.begin : f.record.end;
        TN_TRY(f.again ? tni_coco_read_annotation(c)
                       : tni_coco_take_record(c, &f.record));
    }
    return TN_OK;
}

/* To `until`, or to the end of the list. */
static tn_status read_here(tni_coco_in *c, const char *until, bool *over)
{
    while (!*over && c->j.p < until) {
        TN_TRY(tni_coco_read_annotation(c));
        if (tni_json_item(&c->j)) continue;
        TN_TRY(c->j.status);
        *over = true;
    }
    return TN_OK;
}

static tn_status take(void *ctx, const tni_block *b, tn_err *err)
{
    ahead *a = ctx;
    tni_coco_in *c = a->c;
    const char *until = end_of(a, b->begin);
    piece p;
    (void)err; /* the reader has the same */
    memcpy(&p, b->bytes, sizeof p);
    const bool right = p.begin != NULL && p.begin == c->j.p;
    a->n_taken++;
    a->n_wrong += !right || p.n_again > p.n / 2;
    if (right) {
        TN_TRY(take_found(c, b->bytes + sizeof p, p.n));
        c->j.p = p.at;
        a->over = p.closed;
        c->j.depth -= p.closed;
    }
    if (a->n_taken >= ENOUGH && a->n_wrong > a->n_taken / 2) until = c->j.end;
    TN_TRY(read_here(c, until, &a->over));
    return a->over ? TN_ECANCELED : TN_OK;
}

/* What classes there are is known only when some were read: the first piece is
 * not read ahead. */
static tn_status read_pieces(tni_coco_in *c, const tni_par *par, bool *over)
{
    TN_TRY(read_here(c, c->j.p + PIECE, over));
    if (*over) return TN_OK;
    ahead a = {c, c->j.p, 0, 0, false};
    const uint64_t n = (uint64_t)(c->j.end - c->j.p) / PIECE + 1;
    const tni_blocks job = {(uint32_t)n, 1, &a, work, take};
    const tn_status status = tni_blocks_run(&job, par, c->err);
    *over = a.over; /* what stopped the walk then */
    return a.over ? TN_OK : status;
}

tn_status tni_coco_read_list(tni_coco_in *c)
{
    const tni_par *par = NULL;
    bool over = false;
    if (!tni_json_enter(&c->j, '[') || !tni_json_item(&c->j))
        return c->j.status;
    const uint64_t left = (uint64_t)(c->j.end - c->j.p);
    if (left > 2 * PIECE && left / PIECE < UINT32_MAX && !c->results &&
        !c->file->inside)
        TN_TRY(tni_reader_threads(c->r, left / 512, &par, c->err));
    if (par != NULL) TN_TRY(read_pieces(c, par, &over));
    if (over) return TN_OK;
    do TN_TRY(tni_coco_read_annotation(c));
    while (tni_json_item(&c->j));
    return c->j.status;
}
