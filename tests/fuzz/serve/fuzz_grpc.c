/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_grpc.c - messages of gRPC: cut apart anywhere, the same result
 *
 * The first byte says how messages are packed, the second where they are cut.
 * All bytes are read as metadata too.
 */
#include "serve/grpc_wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 100000 };

static void check(int good)
{
    if (!good) abort();
}

/* A sum over the messages, and how it ended. */
static uint64_t messages(const uint8_t *data, size_t size, tni_coding coding,
                         size_t step)
{
    tni_mem mem;
    tni_mem_init(&mem, NULL, (size_t)1 << 20);
    tni_grpc_reader r = {.coding = coding, .max = LIMIT};
    uint64_t sum = 1469598103934665603u;
    tni_grpc_step s = TNI_GRPC_MORE;
    for (size_t at = 0; at < size && s != TNI_GRPC_BAD;) {
        const size_t n = size - at < step ? size - at : step;
        uint8_t *to = NULL;
        size_t used = 0;
        const size_t room = tni_grpc_reader_room(&r, &to);
        const uint8_t *from = data + at;
        if (room >= n) { /* as if it had been read to its place */
            memcpy(to, from, n);
            from = to;
        }
        s = tni_grpc_reader_feed(&r, &mem, from, n, &used);
        check(used <= n && (s != TNI_GRPC_MORE || used == n));
        at += used;
        if (s != TNI_GRPC_MESSAGE) continue;
        check(r.body.len <= LIMIT);
        for (size_t i = 0; i < r.body.len; i++)
            sum = (sum ^ r.body.p[i]) * 1099511628211u;
        sum = sum * 31 + r.body.len;
        tni_grpc_reader_next(&r);
    }
    sum = sum * 31 + (uint64_t)(s == TNI_GRPC_BAD ? r.status : 0);
    tni_grpc_reader_fini(&r);
    check(mem.used_bytes == 0);
    return sum;
}

static void metadata(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), out[TNI_GRPC_MAX_NOTE * 3];
    memcpy(text, data, size);
    text[size] = '\0';
    const size_t n = tni_grpc_note(out, text);
    for (size_t i = 0; i < n; i++) check(out[i] >= ' ' && out[i] <= '~');
    uint64_t ns = 0;
    const tni_span all = {text, size};
    check(!tni_grpc_timeout(all, &ns) || size <= 9);
    (void)tni_grpc_content_type(all);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    metadata(data, size);
    if (size < 2) return 0;
    const tni_coding coding = (tni_coding)(data[0] % 3);
    const size_t step = (size_t)data[1] + 1;
    check(messages(data + 2, size - 2, coding, size) ==
          messages(data + 2, size - 2, coding, step));
    return 0;
}
