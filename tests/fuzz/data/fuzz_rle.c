/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_rle.c - coded masks, polygons, and what must hold between them */
#include "data/rle.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(tni_arena *arena, const tni_rle *r)
{
    static uint8_t mask[64 * 64];
    tni_rle back, both;
    const char *text = NULL;
    size_t len = 0;
    double box[4];
    if (tni_rle_check(r, NULL) != TN_OK) abort();
    tni_rle_bbox(box, r);
    if (tni_rle_encode(&text, &len, arena, r, NULL) != TN_OK) abort();
    if (tni_rle_decode(&back, arena, r->h, r->w, text, len, NULL) != TN_OK ||
        back.n != r->n ||
        memcmp(back.counts, r->counts, r->n * sizeof r->counts[0]) != 0)
        abort();
    tni_rle_to_mask(r, mask, 1, r->w);
    if (tni_rle_from_mask(&back, arena, r->h, r->w, mask, 1, r->w, NULL) !=
            TN_OK ||
        tni_rle_area(&back) != tni_rle_area(r))
        abort();
    if (tni_rle_merge(&both, arena, (const tni_rle[]){*r, back}, 2, true,
                      NULL) != TN_OK ||
        tni_rle_area(&both) != tni_rle_area(r))
        abort();
    const double iou = tni_rle_iou(r, &back, false);
    if (iou != 1 && tni_rle_area(r) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) return 0;
    const uint32_t h = data[0] % 64 + 1, w = data[1] % 64 + 1;
    tni_mem mem;
    tni_arena arena;
    tni_rle r;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 4096);
    if (data[2] == 'p') {
        double xy[64];
        const size_t n = (size - 3) / 16 < 32 ? (size - 3) / 16 : 32;
        memcpy(xy, data + 3, 16 * n);
        for (size_t i = 0; i < 2 * n; i++) /* keep the walk short */
            if (xy[i] > 1e4 || xy[i] < -1e4) xy[i] = 7;
        if (tni_rle_from_polygon(&r, &arena, h, w, xy, n, NULL) == TN_OK)
            look(&arena, &r);
    } else if (tni_rle_decode(&r, &arena, h, w, (const char *)data + 3,
                              size - 3, NULL) == TN_OK) {
        look(&arena, &r);
    }
    tni_arena_fini(&arena);
    if (mem.used_bytes != 0) abort();
    return 0;
}
