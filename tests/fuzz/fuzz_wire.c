/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_wire.c - the protobuf reader, every accessor on every field */
#include "base/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Walks a message and, as if each were one, its byte fields. */
static void walk(tni_wire *w)
{
    tni_field f;
    bool more = false;
    static const tni_wire_type elems[] = {TNI_WIRE_VARINT, TNI_WIRE_I32,
                                          TNI_WIRE_I64};
    while (tni_wire_next(w, &f, &more) == TN_OK && more) {
        uint64_t u = 0;
        int64_t i = 0;
        float x = 0;
        tni_bytes b;
        (void)!tni_wire_u64(w, &f, &u);
        (void)!tni_wire_i64(w, &f, &i);
        (void)!tni_wire_f32(w, &f, &x);
        (void)!tni_wire_bytes(w, &f, &b);
        for (int k = 0; k < 3; k++) {
            size_t n = 0, at = 0;
            if (tni_wire_count(w, &f, elems[k], &n) != TN_OK) continue;
            uint64_t *to = malloc(n * sizeof *to + 1);
            if (to == NULL) continue;
            uint32_t *narrow = (uint32_t *)(void *)to;
            if (k == 0) (void)!tni_wire_read_varints(w, &f, to, &at);
            if (k == 1) (void)!tni_wire_read_i32s(w, &f, narrow, &at);
            if (k == 2) (void)!tni_wire_read_i64s(w, &f, to, &at);
            if (at > n) abort();
            free(to);
        }
        tni_wire sub;
        if (tni_wire_enter(w, &f, "Sub", &sub) == TN_OK) walk(&sub);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tn_err err = {0};
    tni_wire w;
    tni_wire_init(&w, data, size, "Message", 8, &err);
    walk(&w);
    tni_wire_init(&w, data, size, "Message", 2, NULL);
    walk(&w);
    return 0;
}
