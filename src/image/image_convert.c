/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_convert.c - raw pixels of a codec in the form asked for
 *
 * Samples of n bits are scaled by (2^m - 1) / (2^n - 1), rounded to nearest,
 * so that white stays white. Gray is ITU-R BT.601 luma in 16-bit fixed point.
 */
#include "image/decoded.h"

#include <string.h>

tn_status tni_image_form_of(int32_t *channels, int32_t *bits,
                            const tni_image_raw *raw, tn_image_form form,
                            tn_err *err)
{
    *bits = 8;
    switch (form) {
    case TN_IMAGE_GRAY8: *channels = 1; return TN_OK;
    case TN_IMAGE_RGB8: *channels = 3; return TN_OK;
    case TN_IMAGE_RGBA8: *channels = 4; return TN_OK;
    case TN_IMAGE_INDICES:
        if (raw->channels != 1)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "indices were asked for, but the image has %d "
                            "samples per pixel; expected a palette or gray",
                            (int)raw->channels);
        *channels = 1;
        *bits = raw->bits > 8 ? 16 : 8;
        return TN_OK;
    case TN_IMAGE_AS_STORED: break;
    default:
        return tni_fail(err, TN_EINVAL, "form %d is not one of tn_image_form",
                        (int)form);
    }
    *bits = raw->bits > 8 ? 16 : 8;
    if (raw->n_colors > 0)
        *channels = raw->colors_alpha ? 4 : 3;
    else if (raw->cmyk)
        *channels = 3;
    else
        *channels = raw->channels + (raw->has_key ? 1 : 0);
    return TN_OK;
}

/* One pixel: r, g, b, a in a range of 0 to max. */
typedef struct pixel {
    uint32_t c[4];
    uint32_t max;
} pixel;

static uint32_t sample(const tni_image_raw *raw, const uint8_t *row, int64_t i)
{
    if (raw->bits <= 8) return row[i];
    uint16_t v = 0;
    memcpy(&v, row + 2 * i, 2);
    return v;
}

static void load(pixel *p, const tni_image_raw *raw, const uint8_t *row,
                 int64_t x)
{
    const int32_t n = raw->channels;
    uint32_t v[4] = {0, 0, 0, 0};
    for (int32_t i = 0; i < n; i++) v[i] = sample(raw, row, x * n + i);
    if (raw->n_colors > 0) {
        static const uint8_t black[4] = {0, 0, 0, 255};
        const uint8_t *c = v[0] < 256 && (int32_t)v[0] < raw->n_colors
                               ? raw->colors[v[0]]
                               : black;
        p->max = 255;
        for (int i = 0; i < 4; i++) p->c[i] = c[i];
        return;
    }
    p->max = (1u << raw->bits) - 1;
    if (raw->cmyk) {
        for (int i = 0; i < 3; i++)
            p->c[i] = (v[i] * v[3] + p->max / 2) / p->max;
        p->c[3] = p->max;
        return;
    }
    bool clear = raw->has_key;
    for (int i = 0; i < 3; i++) {
        p->c[i] = n >= 3 ? v[i] : v[0];
        if (p->c[i] != raw->key[i]) clear = false;
    }
    p->c[3] = n == 2 ? v[1] : n == 4 ? v[3] : clear ? 0 : p->max;
}

static uint32_t scale(uint32_t v, uint32_t from, uint32_t to)
{
    if (from == to) return v;
    return (uint32_t)(((uint64_t)v * to + from / 2) / from);
}

static uint32_t luma(const pixel *p)
{
    if (p->c[0] == p->c[1] && p->c[1] == p->c[2]) return p->c[0];
    return (uint32_t)(((uint64_t)p->c[0] * 19595 + (uint64_t)p->c[1] * 38470 +
                       (uint64_t)p->c[2] * 7471 + 32768) >>
                      16);
}

/* What channel i of n shows. */
static uint32_t channel(const pixel *p, int32_t i, int32_t n, bool gray)
{
    if (n == 1) return gray ? luma(p) : p->c[0];
    if (n == 2) return i == 0 ? p->c[0] : p->c[3];
    return p->c[i];
}

bool tni_image_same_layout(const tni_image_raw *raw, tn_image_form form,
                           int32_t channels)
{
    if (form == TN_IMAGE_INDICES) return true;
    return raw->n_colors == 0 && !raw->cmyk && !raw->has_key &&
           raw->channels == channels &&
           (raw->bits == 8 || (raw->bits == 16 && form == TN_IMAGE_AS_STORED));
}

/* Rows of 8-bit samples that need no scaling, the common case; false when
 * they are not of that kind. */
static bool plain_row(uint8_t *to, const tni_image_raw *raw,
                      const uint8_t *from, tn_image_form form, int32_t n)
{
    static const uint8_t black[4] = {0, 0, 0, 255};
    const int32_t m = raw->channels;
    if (n == 2) return false;
    if (raw->n_colors == 0 && (raw->bits != 8 || raw->cmyk || raw->has_key))
        return false;
    for (int64_t x = 0; x < raw->width; x++, from += m, to += n) {
        const uint8_t *c = from;
        uint8_t spread[4];
        if (raw->n_colors > 0) {
            c = from[0] < raw->n_colors ? raw->colors[from[0]] : black;
        } else if (m < 3) {
            spread[0] = spread[1] = spread[2] = from[0];
            spread[3] = m == 2 ? from[1] : 255;
            c = spread;
        }
        if (n == 1) {
            const pixel p = {{c[0], c[1], c[2], 255}, 255};
            to[0] = (uint8_t)(form == TN_IMAGE_GRAY8 ? luma(&p) : p.c[0]);
        } else {
            memcpy(to, c, 3);
            if (n == 4) to[3] = raw->n_colors == 0 && m == 3 ? 255 : c[3];
        }
    }
    return true;
}

void tni_image_convert_row(void *to, const tni_image_raw *raw, int64_t y,
                           tn_image_form form, int32_t channels)
{
    const uint8_t *row = raw->pixels + (size_t)y * raw->stride;
    const size_t n = (size_t)raw->width * (size_t)channels;
    if (tni_image_same_layout(raw, form, channels)) {
        memcpy(to, row, raw->bits > 8 ? 2 * n : n);
        return;
    }
    if (plain_row(to, raw, row, form, channels)) return;
    const bool wide = form == TN_IMAGE_AS_STORED && raw->bits > 8;
    const bool gray = form == TN_IMAGE_GRAY8;
    const uint32_t max = wide ? 65535 : 255;
    uint8_t *narrow = to;
    for (int64_t x = 0; x < raw->width; x++) {
        pixel p;
        load(&p, raw, row, x);
        for (int32_t i = 0; i < channels; i++) {
            const uint32_t v =
                scale(channel(&p, i, channels, gray), p.max, max);
            const size_t at = (size_t)x * (size_t)channels + (size_t)i;
            if (wide) {
                const uint16_t v16 = (uint16_t)v;
                memcpy(narrow + 2 * at, &v16, 2);
            } else {
                narrow[at] = (uint8_t)v;
            }
        }
    }
}
