/* SPDX-License-Identifier: Apache-2.0 */
/* outq.c - bytes on their way out of a connection */
#include "serve/outq.h"

enum { FIRST_PARTS = 8, FIRST_COPIES = 1024 };

void tni_outq_init(tni_outq *q, tni_mem *mem)
{
    memset(q, 0, sizeof *q);
    q->mem = mem;
}

static tni_outq_part *part_at(const tni_outq *q, size_t i)
{
    return &q->parts[(q->first + i) & (q->cap - 1)];
}

/* Takes the first part off and gives it back. */
static void drop_first(tni_outq *q)
{
    const tni_outq_part p = *part_at(q, 0);
    q->first = (q->first + 1) & (q->cap - 1);
    q->n--;
    q->bytes -= p.len;
    if (p.p == NULL) q->copies_begin += p.len;
    if (p.release != NULL) p.release(p.ctx);
}

void tni_outq_fini(tni_outq *q)
{
    while (q->n != 0) drop_first(q);
    tni_mem_free(q->mem, q->parts, q->cap * sizeof *q->parts,
                 _Alignof(tni_outq_part));
    tni_mem_free(q->mem, q->copies, q->copies_cap, 1);
    tni_outq_init(q, q->mem);
}

static bool room_for_part(tni_outq *q)
{
    if (q->n < q->cap) return true;
    const size_t cap = q->cap != 0 ? q->cap * 2 : FIRST_PARTS;
    tni_outq_part *parts =
        tni_mem_alloc(q->mem, cap * sizeof *parts, _Alignof(tni_outq_part));
    if (parts == NULL) return false;
    for (size_t i = 0; i < q->n; i++) parts[i] = *part_at(q, i);
    tni_mem_free(q->mem, q->parts, q->cap * sizeof *q->parts,
                 _Alignof(tni_outq_part));
    q->parts = parts;
    q->first = 0;
    q->cap = cap;
    return true;
}

static bool room_for_copy(tni_outq *q, size_t len)
{
    if (q->copies_begin == q->copies_end) q->copies_begin = q->copies_end = 0;
    if (len <= q->copies_cap - q->copies_end) return true;
    const size_t live = q->copies_end - q->copies_begin;
    size_t cap = q->copies_cap != 0 ? q->copies_cap : FIRST_COPIES;
    uint8_t *to = q->copies;
    while (cap - live < len) {
        if (cap > SIZE_MAX / 2) return false;
        cap *= 2;
    }
    if (cap != q->copies_cap) {
        to = tni_mem_alloc(q->mem, cap, 1);
        if (to == NULL) return false;
    }
    if (live != 0) memmove(to, q->copies + q->copies_begin, live);
    if (to != q->copies) tni_mem_free(q->mem, q->copies, q->copies_cap, 1);
    q->copies = to;
    q->copies_cap = cap;
    q->copies_begin = 0;
    q->copies_end = live;
    return true;
}

bool tni_outq_copy(tni_outq *q, const void *bytes, size_t len)
{
    if (len == 0) return true;
    if (!room_for_copy(q, len)) return false;
    tni_outq_part *last = q->n != 0 ? part_at(q, q->n - 1) : NULL;
    if (last == NULL || last->p != NULL || last->release != NULL) {
        if (!room_for_part(q)) return false;
        last = part_at(q, q->n++);
        *last = (tni_outq_part){NULL, 0, NULL, NULL};
    }
    memcpy(q->copies + q->copies_end, bytes, len);
    q->copies_end += len;
    last->len += len;
    q->bytes += len;
    return true;
}

bool tni_outq_add(tni_outq *q, const void *bytes, size_t len,
                  void (*release)(void *ctx), void *ctx)
{
    if (len == 0 && release == NULL) return true;
    if (!room_for_part(q)) {
        if (release != NULL) release(ctx);
        return false;
    }
    /* A part without bytes must not pass for a copied one of its own. */
    *part_at(q, q->n++) =
        (tni_outq_part){len != 0 ? (const uint8_t *)bytes : (const uint8_t *)"",
                        len, release, ctx};
    q->bytes += len;
    return true;
}

bool tni_outq_add_pieces(tni_outq *q, const tni_piece *pieces, size_t n)
{
    bool good = true;
    for (size_t i = 0; i < n; i++)
        good &= tni_outq_add(q, pieces[i].bytes, pieces[i].size,
                             pieces[i].release, pieces[i].ctx);
    return good;
}

size_t tni_outq_slices(const tni_outq *q, tni_slice *out, size_t cap)
{
    size_t k = 0, copied = q->copies_begin;
    for (size_t i = 0; i < q->n && k < cap; i++) {
        const tni_outq_part *p = part_at(q, i);
        if (p->len == 0) continue;
        out[k].p = p->p != NULL ? p->p : q->copies + copied;
        out[k++].len = p->len;
        if (p->p == NULL) copied += p->len;
    }
    return k;
}

void tni_outq_sent(tni_outq *q, size_t n)
{
    while (q->n != 0) {
        tni_outq_part *p = part_at(q, 0);
        if (p->len > n) {
            p->len -= n;
            q->bytes -= n;
            if (p->p == NULL)
                q->copies_begin += n;
            else
                p->p += n;
            return;
        }
        n -= p->len;
        drop_first(q);
    }
}

bool tni_outq_move(tni_outq *to, tni_outq *from, size_t n)
{
    bool good = true;
    while (from->n != 0) {
        tni_outq_part *p = part_at(from, 0);
        const size_t k = p->len < n ? p->len : n;
        const bool whole = k == p->len;
        if (k == 0 && !whole) break;
        if (p->p == NULL) {
            good &= tni_outq_copy(to, from->copies + from->copies_begin, k);
        } else {
            good &= tni_outq_add(to, p->p, k, whole ? p->release : NULL,
                                 whole ? p->ctx : NULL);
            if (whole) p->release = NULL;
        }
        n -= k;
        if (whole)
            drop_first(from);
        else
            tni_outq_sent(from, k);
    }
    return good;
}

bool tni_outq_retire(tni_outq *to, tni_outq *from)
{
    bool good = true;
    while (from->n != 0) {
        tni_outq_part *p = part_at(from, 0);
        good &= tni_outq_add(to, NULL, 0, p->release, p->ctx);
        p->release = NULL;
        drop_first(from);
    }
    return good;
}
