/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http1.c - heads and chunks: cut apart anywhere, the same result
 *
 * The first byte says where the rest is cut.
 */
#include "serve/http1.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
    if (!good) abort();
}

static tni_http1_step head(tni_http1_head *h, uint8_t *buf, size_t size,
                           size_t cut)
{
    tni_http1_head_init(h);
    const tni_http1_step s = tni_http1_head_feed(h, buf, cut);
    return s == TNI_HTTP1_MORE ? tni_http1_head_feed(h, buf, size) : s;
}

static void heads(const uint8_t *data, size_t size, size_t cut)
{
    static tni_http1_head one, two;
    uint8_t *a = malloc(size + 1), *b = malloc(size + 1);
    memcpy(a, data, size);
    memcpy(b, data, size);
    const tni_http1_step s = head(&one, a, size, size);
    check(s == head(&two, b, size, cut));
    check(one.at == two.at && one.status == two.status);
    check(s != TNI_HTTP1_MORE || size <= TNI_HTTP1_MAX_HEAD);
    if (s == TNI_HTTP1_DONE) {
        check(one.size == two.size && one.size <= size);
        check(one.n_fields == two.n_fields && one.length == two.length);
        check(!(one.chunked && one.has_length));
        uint64_t sum = one.path.len + one.query.len + one.method.len;
        for (size_t i = 0; i < one.n_fields; i++) {
            sum += one.fields[i].name.len + one.fields[i].value.len;
            check(memcmp(one.fields[i].value.p, two.fields[i].value.p,
                         one.fields[i].value.len) == 0);
        }
        check(sum <= one.size + 1);
    }
    free(a);
    free(b);
}

/* A sum over the body, its length and how it ended. */
static uint64_t chunks(const uint8_t *data, size_t size, size_t step)
{
    tni_http1_chunks c;
    memset(&c, 0, sizeof c);
    uint64_t sum = 1469598103934665603u;
    tni_http1_step s = TNI_HTTP1_MORE;
    size_t at = 0;
    while (at < size && (s == TNI_HTTP1_MORE || s == TNI_HTTP1_DATA)) {
        const uint8_t *p = NULL;
        size_t used = 0, len = 0;
        const size_t n = size - at < step ? size - at : step;
        s = tni_http1_chunks_feed(&c, data + at, n, &used, &p, &len);
        check(used <= n);
        at += used;
        if (s != TNI_HTTP1_DATA) continue;
        for (size_t i = 0; i < len; i++) sum = (sum ^ p[i]) * 1099511628211u;
    }
    if (s == TNI_HTTP1_DATA) s = TNI_HTTP1_MORE;
    return (sum * 31 + (uint64_t)s) * 31 + at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const size_t cut = size == 1 ? 0 : data[0] % size;
    heads(data + 1, size - 1, cut);
    check(chunks(data + 1, size - 1, size) ==
          chunks(data + 1, size - 1, cut + 1));
    return 0;
}
