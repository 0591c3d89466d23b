/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - text that is collected in an arena, as pieces of an answer */
#ifndef TN_SRC_SERVE_TEXT_H
#define TN_SRC_SERVE_TEXT_H

#include "serve/exchange.h"

typedef struct tni_text {
    tni_out out; /* write with tni_out_…, then tni_out_flush */
    tni_arena *arena;
    uint64_t left; /* bytes that it may still grow by */
    tni_piece *pieces;
    size_t n_pieces, cap, size;
    tn_err err;
} tni_text;

/* Beyond `most` bytes it fails with TN_ELIMIT. */
void tni_text_begin(tni_text *t, tni_arena *arena, uint64_t most);

#endif
