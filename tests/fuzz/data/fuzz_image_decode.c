/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_image_decode.c - pixels; what decodes is written as PNG and read back */
#include "tenon/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes {
    uint8_t *data;
    size_t size, cap;
} bytes;

static tn_status take(void *ctx, const void *data, size_t size, tn_err *err)
{
    bytes *b = ctx;
    (void)err;
    if (b->cap - b->size < size) {
        b->cap = 2 * b->cap + size;
        b->data = realloc(b->data, b->cap);
        if (b->data == NULL) abort();
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return TN_OK;
}

static void again(const tn_image_view *v, tn_image_opts *opts)
{
    bytes b = {NULL, 0, 0};
    const tn_image_sink sink = {&b, take};
    const tn_status written = tn_image_encode(&sink, "png", v, NULL);
    if (written == TN_OK) {
        tn_image *image = NULL;
        tn_image_view w = TN_IMAGE_VIEW_INIT;
        opts->flags = 0;
        if (tn_image_decode(&image, b.data, b.size, opts, NULL) != TN_OK)
            abort();
        tn_image_get_view(image, &w);
        if (w.width != v->width || w.height != v->height ||
            w.stride != v->stride ||
            memcmp(w.pixels, v->pixels, w.stride * (size_t)w.height) != 0)
            abort();
        tn_image_free(image);
    }
    free(b.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tn_limits limits = TN_LIMITS_INIT;
    tn_image_opts opts = TN_IMAGE_OPTS_INIT;
    limits.max_image_pixels = 1 << 16;
    opts.limits = &limits;
    for (int form = 0; form <= TN_IMAGE_INDICES; form++) {
        tn_image *image = NULL;
        opts.form = (tn_image_form)form;
        opts.flags = form % 2 == 0 ? 0
                                   : (uint32_t)TN_IMAGE_UPRIGHT |
                                         (uint32_t)TN_IMAGE_KEEP_DAMAGED;
        if (tn_image_decode(&image, data, size, &opts, NULL) != TN_OK) continue;
        tn_image_view v = TN_IMAGE_VIEW_INIT;
        tn_image_get_view(image, &v);
        again(&v, &opts);
        tn_image_free(image);
    }
    return 0;
}
