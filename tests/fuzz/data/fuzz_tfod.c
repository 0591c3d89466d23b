/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tfod.c - records of TFRecord object detection
 *
 * Checksums would stop almost every change of a byte: the input is the message
 * of one record and, behind "\n==> label_map.pbtxt\n", a label map.
 */
#include "fuzz_format.h"

#include "data/tfrecord.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes {
    uint8_t *p;
    size_t n;
} bytes;

static tn_status collect(void *ctx, const void *p, size_t n, tn_err *err)
{
    bytes *b = ctx;
    (void)err;
    if (n > 0) memcpy(b->p + b->n, p, n);
    b->n += n;
    return TN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "\n==> ";
    size_t n = 0;
    while (n < size && (size - n < 5 || memcmp(data + n, mark, 5) != 0)) n++;
    bytes b = {malloc(size + 16), 0};
    const tni_byte_sink sink = {&b, collect};
    if (b.p == NULL) return 0;
    if (tni_tfrecord_put(&sink, data, n, NULL) != TN_OK) abort();
    memcpy(b.p + b.n, data + n, size - n);
    fuzz_format("tfrecord", "train.tfrecord", b.p, b.n + size - n);
    free(b.p);
    return 0;
}
