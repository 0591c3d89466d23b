/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_webdataset.c - samples of tar archives
 *
 * Checksums of headers would stop almost every change of a byte: the input is
 * members, each begun by "\n==> NAME\n", of which an archive is made.
 */
#include "fuzz_format.h"

#include "data/tar.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1 << 19 };

static size_t used;

static tn_status collect(void *ctx, const void *p, size_t n, tn_err *err)
{
    (void)err;
    if (used + n > ROOM) return TN_ELIMIT;
    if (n > 0) memcpy((uint8_t *)ctx + used, p, n);
    used += n;
    return TN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "\n==> ";
    uint8_t *out = malloc(ROOM);
    char name[200] = "a.json";
    const uint8_t *p = data, *end = data + size, *begin = data;
    const tni_byte_sink sink = {out, collect};
    if (out == NULL) return 0;
    used = 0;
    for (; p <= end; p++) {
        const uint8_t *line = NULL;
        if (p < end && ((size_t)(end - p) < 5 || memcmp(p, mark, 5) != 0))
            continue;
        if (p < end) {
            line = memchr(p + 5, '\n', (size_t)(end - p - 5));
            if (line == NULL || line - p - 5 >= 200) continue;
        }
        (void)!tni_tar_put(&sink, name, begin, (size_t)(p - begin), NULL);
        if (line == NULL) break;
        memcpy(name, p + 5, (size_t)(line - p - 5));
        name[line - p - 5] = '\0';
        begin = line + 1;
        p = line;
    }
    (void)!tni_tar_end(&sink, NULL);
    fuzz_format("webdataset", "train-000000.tar", out, used);
    free(out);
    return 0;
}
