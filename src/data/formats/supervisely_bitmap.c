/* SPDX-License-Identifier: Apache-2.0 */
/* supervisely_bitmap.c - masks as PNG in zlib in base64 */
#include "data/formats/supervisely.h"

#include "base/inflate.h"
#include "data/base64.h"
#include "tenon/image.h"

enum { MAX_PNG = 1 << 26, ZLIB_HEADER = 2, ZLIB_TRAILER = 4, STORED = 65535 };

/* --- reading ------------------------------------------------------------------ */

/* What a zlib stream holds. Its size is not said: room is made until it is
 * enough, which for a PNG it nearly always is at once. */
static tn_status unpack(tni_span *out, tni_span zlib, tni_arena *arena,
                        tn_err *err)
{
    size_t room = 2 * zlib.len + 1024, used = 0;
    tn_status status = TN_EFORMAT;
    while (status == TN_EFORMAT && room <= MAX_PNG) {
        tn_err why;
        memset(&why, 0, sizeof why);
        const tni_arena_mark before = tni_arena_save(arena);
        char *bytes = tni_arena_alloc(arena, room, 1);
        if (bytes == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        status = tni_inflate_upto(bytes, room, &used, zlib.p + ZLIB_HEADER,
                                  zlib.len - ZLIB_HEADER, &why);
        out->p = bytes;
        out->len = used;
        if (status == TN_OK) break;
        tni_arena_rewind(arena, before);
        if (room / TNI_INFLATE_MAX_RATIO > zlib.len || room > MAX_PNG / 8)
            return tni_fail(err, status, "%.200s", why.message);
        room *= 8;
    }
    return status == TN_OK
               ? status
               : tni_fail(err, TN_EFORMAT, "a bitmap cannot be decompressed");
}

static bool is_zlib(tni_span bytes)
{
    const unsigned char *b = (const unsigned char *)bytes.p;
    return bytes.len > ZLIB_HEADER + ZLIB_TRAILER && (b[0] & 15) == 8 &&
           (b[0] * 256 + b[1]) % 31 == 0;
}

tn_status tni_sly_bitmap_read(tni_patch *p, tni_span text, tni_arena *arena,
                              const tn_limits *limits, tn_err *err)
{
    tni_span bytes = {NULL, 0};
    tn_image *image = NULL;
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    tn_image_opts o = TN_IMAGE_OPTS_INIT;
    o.limits = limits;
    o.form = TN_IMAGE_RGBA8;
    TN_TRY(tni_base64_read(&bytes, arena, text, err));
    if (is_zlib(bytes)) TN_TRY(unpack(&bytes, bytes, arena, err));
    TN_TRY(tn_image_decode(&image, bytes.p, bytes.len, &o, err));
    tn_image_get_view(image, &view);
    const bool alpha = (tn_image_get_info(image)->flags & TN_IMAGE_ALPHA) != 0;
    p->w = view.width;
    p->h = view.height;
    p->pixels = tni_arena_alloc(arena, (size_t)(p->w * p->h), 1);
    for (int64_t y = 0; p->pixels != NULL && y < p->h; y++) {
        const uint8_t *row =
            (const uint8_t *)view.pixels + (size_t)y * view.stride;
        for (int64_t x = 0; x < p->w; x++, row += 4)
            p->pixels[y * p->w + x] =
                alpha ? row[3] != 0 : (row[0] | row[1] | row[2]) != 0;
    }
    tn_image_free(image);
    if (p->pixels == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    return TN_OK;
}

/* --- writing ------------------------------------------------------------------ */

static tn_status collect(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    tni_out *o = ctx;
    (void)err;
    tni_out_bytes(o, bytes, size);
    return o->status;
}

/* Adler-32, which ends a zlib stream (RFC 1950). */
static uint32_t adler(tni_span bytes)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        a = (a + (unsigned char)bytes.p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

/* A zlib stream that stores: a PNG is compressed already, and so the text does
 * not depend on anybody's zlib more than the PNG does. */
static tni_span stored(tni_span png, tni_arena *arena)
{
    const size_t n_blocks = png.len / STORED + 1;
    tni_span out = {NULL, 0};
    char *to = tni_arena_alloc(
        arena, png.len + 5 * n_blocks + ZLIB_HEADER + ZLIB_TRAILER, 1);
    if (to == NULL) return out;
    size_t n = 0;
    to[n++] = 0x78;
    to[n++] = 0x01;
    for (size_t at = 0, left = n_blocks; left > 0; left--) {
        const size_t now = png.len - at < STORED ? png.len - at : STORED;
        to[n++] = left == 1;
        to[n++] = (char)(now & 255);
        to[n++] = (char)(now >> 8);
        to[n++] = (char)(~now & 255);
        to[n++] = (char)(~now >> 8 & 255);
        memcpy(to + n, png.p + at, now);
        n += now;
        at += now;
    }
    const uint32_t sum = adler(png);
    for (int k = 24; k >= 0; k -= 8) to[n++] = (char)(sum >> k & 255);
    out.p = to;
    out.len = n;
    return out;
}

tn_status tni_sly_bitmap_write(tni_out *o, const tni_patch *p, tni_arena *arena,
                               tn_err *err)
{
    /* Black and transparent; white. */
    static const uint8_t palette[8] = {0, 0, 0, 0, 255, 255, 255, 255};
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    tni_span png = {NULL, 0};
    tni_draft *draft = tni_draft_new(arena, err);
    if (draft == NULL) return TN_ENOMEM;
    view.width = p->w;
    view.height = p->h;
    view.channels = 1;
    view.bits = 8;
    view.stride = (size_t)p->w;
    view.pixels = p->pixels;
    view.palette = palette;
    view.n_colors = 2;
    const tn_image_sink sink = {tni_draft_begin(draft), collect};
    TN_TRY(tn_image_encode(&sink, "png", &view, err));
    TN_TRY(tni_draft_end(draft, &png));
    const tni_span zlib = stored(png, arena);
    if (zlib.p == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    tni_base64_write(o, zlib.p, zlib.len);
    return o->status;
}
