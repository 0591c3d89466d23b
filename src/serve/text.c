/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - text that is collected in an arena, as pieces of an answer */
#include "serve/text.h"

#include <string.h>

enum { FIRST_PIECES = 4 };

static bool one_more(tni_text *t)
{
    if (t->n_pieces < t->cap) return true;
    const size_t cap = t->cap == 0 ? FIRST_PIECES : 2 * t->cap;
    tni_piece *more = TNI_NEW_ARRAY(t->arena, tni_piece, cap);
    if (more == NULL) return false;
    if (t->n_pieces > 0) memcpy(more, t->pieces, t->n_pieces * sizeof *more);
    t->pieces = more;
    t->cap = cap;
    return true;
}

static tn_status keep(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    tni_text *t = ctx;
    if (size > t->left)
        return tni_fail(err, TN_ELIMIT,
                        "the answer is larger than the server's limit; ask for "
                        "fewer rows or for binary outputs");
    void *copy = tni_arena_alloc(t->arena, size, 16);
    if (copy == NULL || !one_more(t))
        return tni_fail(err, TN_ENOMEM, "no memory for the answer");
    memcpy(copy, bytes, size);
    t->pieces[t->n_pieces++] = (tni_piece){copy, size, NULL, NULL};
    t->size += size;
    t->left -= size;
    return TN_OK;
}

void tni_text_begin(tni_text *t, tni_arena *arena, uint64_t most)
{
    t->arena = arena;
    t->left = most;
    t->pieces = NULL;
    t->n_pieces = t->cap = t->size = 0;
    tni_err_clear(&t->err);
    tni_out_init(&t->out, keep, t, &t->err);
}
