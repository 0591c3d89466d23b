/* SPDX-License-Identifier: Apache-2.0 */
/* image_encode.c - checking a view and handing it to the codec that writes it */
#include "base/checked.h"
#include "image/codecs/codec.h"
#include "sys/file.h"

#include <string.h>

static tn_status check_palette(const tn_image_view *v, tn_err *err)
{
    if (v->palette == NULL) return TN_OK;
    if (v->channels != 1 || v->bits != 8 || v->n_colors < 1 ||
        v->n_colors > 256)
        return tni_fail(err, TN_EINVAL,
                        "a palette of %d colours with %d samples of %d bits; "
                        "expected 1 to 256 colours, 1 sample of 8 bits",
                        (int)v->n_colors, (int)v->channels, (int)v->bits);
    const uint8_t *row = v->pixels;
    for (int64_t y = 0; y < v->height; y++, row += v->stride)
        for (int64_t x = 0; x < v->width; x++)
            if (row[x] >= v->n_colors)
                return tni_fail(err, TN_EINVAL,
                                "the pixel at %lld, %lld has index %u, but the "
                                "palette has %d colours",
                                (long long)x, (long long)y, (unsigned)row[x],
                                (int)v->n_colors);
    return TN_OK;
}

static tn_status check_view(tn_image_view *out, const tn_image_view *in,
                            tn_err *err)
{
    memset(out, 0, sizeof *out);
    memcpy(out, in,
           in->struct_size < sizeof *out ? in->struct_size : sizeof *out);
    if (out->width < 1 || out->height < 1 || out->width > INT32_MAX ||
        out->height > INT32_MAX || out->channels < 1 || out->channels > 4 ||
        (out->bits != 8 && out->bits != 16) || out->pixels == NULL)
        return tni_fail(err, TN_EINVAL,
                        "a view of %lld x %lld pixels of %d samples of %d "
                        "bits; expected at least 1 x 1 of 1 to 4 samples of 8 "
                        "or 16 bits",
                        (long long)out->width, (long long)out->height,
                        (int)out->channels, (int)out->bits);
    size_t row = 0, all = 0;
    if (!tni_mul_size((size_t)out->width,
                      (size_t)out->channels * (size_t)(out->bits / 8), &row) ||
        out->stride < row ||
        !tni_mul_size(out->stride, (size_t)out->height, &all))
        return tni_fail(err, TN_EINVAL, "a stride of %zu bytes for rows of %zu",
                        out->stride, row);
    return check_palette(out, err);
}

tn_status tn_image_encode(const tn_image_sink *sink, const char *format,
                          const tn_image_view *view, tn_err *err)
{
    tni_err_clear(err);
    if (sink == NULL || sink->write == NULL || format == NULL || view == NULL)
        return tni_fail(err, TN_EINVAL, "sink, format or view is NULL");
    const tni_codec *codec = tni_codec_find(format);
    if (codec == NULL)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "'%.40s' is not the name of a codec", format);
    if (codec->encode == NULL)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "this build does not write %s files", codec->name);
    tn_image_view v;
    TN_TRY(check_view(&v, view, err));
    return codec->encode(sink, &v, err);
}

static tn_status to_file(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    return tni_file_out_write(ctx, bytes, size, err);
}

tn_status tn_image_write(const char *path, const char *format,
                         const tn_image_view *view, tn_err *err)
{
    tni_err_clear(err);
    if (path == NULL) return tni_fail(err, TN_EINVAL, "path is NULL");
    tni_file_out *f = NULL;
    TN_TRY(tni_file_out_open(&f, path, err));
    const tn_image_sink sink = {f, to_file};
    const tn_status status = tn_image_encode(&sink, format, view, err);
    if (status != TN_OK) {
        tni_file_out_abort(f);
        return status;
    }
    return tni_file_out_commit(f, err);
}
