/* SPDX-License-Identifier: Apache-2.0 */
/* image_decode.c - from the bytes of a file to pixels in the form asked for */
#include "base/checked.h"
#include "base/limits.h"
#include "image/decoded.h"
#include "image/probe.h"
#include "sys/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

tn_status tni_image_raw_alloc(tni_image_job *job, int32_t channels,
                              int32_t bits)
{
    tni_image_raw *raw = &job->raw;
    raw->width = job->info.width;
    raw->height = job->info.height;
    raw->channels = channels;
    raw->bits = bits;
    size_t stride = 0, size = 0;
    if (!tni_mul_size((size_t)raw->width, (size_t)channels, &stride) ||
        !tni_mul_size(stride, bits > 8 ? 2 : 1, &stride) ||
        !tni_mul_size(stride, (size_t)raw->height, &size))
        return tni_fail(job->err, TN_ELIMIT,
                        "the pixels need more bytes than can be counted");
    raw->stride = stride;
    raw->pixels = tni_mem_alloc(job->mem, size, TNI_ALIGN);
    if (raw->pixels == NULL)
        return tni_fail(job->err, TN_ENOMEM,
                        "no memory for %zu bytes of pixels", size);
    raw->size = size;
    memset(raw->pixels, 0, size);
    return TN_OK;
}

tn_status tni_image_find(tni_image_job *job, bool damage, uint64_t offset,
                         const char *fmt, ...)
{
    tn_image_finding f;
    f.damage = damage ? 1 : 0;
    f.offset = offset;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(f.text, sizeof f.text, fmt, args);
    va_end(args);
    if (damage && !job->keep_damaged)
        return tni_fail_at(job->err, TN_EFORMAT, offset, "%s", f.text);
    if (job->n_findings < TNI_IMAGE_FINDINGS)
        job->findings[job->n_findings] = f;
    job->n_findings++;
    return TN_OK;
}

/* Raw rows into the image, turned or not. */
static void place_rows(tn_image *image, const tni_image_raw *raw,
                       tn_image_form form, int32_t orientation, uint8_t *row)
{
    const int32_t channels = image->view.channels;
    const size_t pixel = (size_t)channels * (image->view.bits > 8 ? 2 : 1);
    const tni_image_turn turn =
        tni_image_turn_of(orientation, raw->width, raw->height, pixel);
    for (int64_t y = 0; y < raw->height; y++) {
        int64_t at = turn.origin + y * turn.step_y;
        if (orientation == 1 || orientation == 4) {
            tni_image_convert_row(image->pixels + at, raw, y, form, channels);
            continue;
        }
        tni_image_convert_row(row, raw, y, form, channels);
        for (int64_t x = 0; x < raw->width; x++) {
            memcpy(image->pixels + at, row + (size_t)x * pixel, pixel);
            at += turn.step_x;
        }
    }
}

/* Raw pixels in the form asked for, in memory of their own. */
static tn_status convert(tn_image *image, const tni_image_job *job,
                         int32_t orientation, size_t size, size_t line)
{
    uint8_t *row = tni_mem_alloc(&image->mem, line, TNI_ALIGN);
    if (row == NULL) return tni_fail(job->err, TN_ENOMEM, "out of memory");
    image->pixels = tni_mem_alloc(&image->mem, size, TNI_ALIGN);
    if (image->pixels == NULL) {
        tni_mem_free(&image->mem, row, line, TNI_ALIGN);
        return tni_fail(job->err, TN_ENOMEM,
                        "no memory for %zu bytes of pixels", size);
    }
    image->size = size;
    place_rows(image, &job->raw, job->form, orientation, row);
    tni_mem_free(&image->mem, row, line, TNI_ALIGN);
    return TN_OK;
}

static tn_status finish(tn_image *image, tni_image_job *job, uint32_t flags)
{
    tni_image_raw *raw = &job->raw;
    tn_image_view *v = &image->view;
    const int32_t orientation =
        (flags & TN_IMAGE_UPRIGHT) != 0 ? image->info.orientation : 1;
    v->struct_size = sizeof *v;
    TN_TRY(tni_image_form_of(&v->channels, &v->bits, raw, job->form, job->err));
    v->width = orientation >= 5 ? raw->height : raw->width;
    v->height = orientation >= 5 ? raw->width : raw->height;
    const size_t pixel = (size_t)v->channels * (v->bits > 8 ? 2 : 1);
    size_t size = 0, line = 0;
    if (!tni_mul_size((size_t)v->width, pixel, &v->stride) ||
        !tni_mul_size((size_t)raw->width, pixel, &line) ||
        !tni_mul_size(v->stride, (size_t)v->height, &size))
        return tni_fail(job->err, TN_ELIMIT,
                        "the pixels need more bytes than can be counted");
    if (orientation == 1 && size == raw->size &&
        tni_image_same_layout(raw, job->form, v->channels)) {
        image->pixels = raw->pixels; /* nothing to convert: keep them */
        image->size = raw->size;
        raw->pixels = NULL;
    } else {
        TN_TRY(convert(image, job, orientation, size, line));
    }
    v->pixels = image->pixels;
    if (job->form == TN_IMAGE_INDICES && raw->n_colors > 0) {
        memcpy(image->palette, raw->colors, sizeof image->palette);
        v->palette = image->palette[0];
        v->n_colors = raw->n_colors;
    }
    return TN_OK;
}

static tn_status cannot(const tni_codec *codec, tn_err *err)
{
    if (codec->library != NULL)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "this build was made without %s and reads only the "
                        "header of %s files; rebuild with it",
                        codec->library, codec->name);
    return tni_fail(err, TN_EUNSUPPORTED,
                    "only the header of %s files is read; convert the file "
                    "to PNG to get at its pixels",
                    codec->name);
}

static tn_status decode_into(tn_image *image, const tni_codec *codec,
                             tni_image_job *job, uint32_t flags)
{
    tn_status status = codec->decode(job);
    image->n_findings = job->n_findings;
    if (status == TN_OK) status = finish(image, job, flags);
    tni_mem_free(job->mem, job->raw.pixels, job->raw.size, TNI_ALIGN);
    return status;
}

static tn_status decode(tn_image **out, const tni_image_src *src,
                        const tn_image_opts *opts, const tn_limits *limits)
{
    tn_err *err = src->err;
    tni_image_src from = *src;
    const tni_codec *codec = NULL;
    tn_image_info info;
    TN_TRY(tni_image_probe(&from, &codec, &info));
    const uint64_t most = limits->max_image_pixels;
    if ((uint64_t)info.width > most ||
        (uint64_t)info.height > most / (uint64_t)info.width)
        return tni_fail(err, TN_ELIMIT,
                        "the image has %lld x %lld pixels, more than the "
                        "limit of %llu",
                        (long long)info.width, (long long)info.height,
                        (unsigned long long)most);
    if (codec->decode == NULL) return cannot(codec, err);
    const tn_allocator *a =
        opts->allocator != NULL ? opts->allocator : &tni_libc_allocator;
    tn_image *image = a->alloc(a->ctx, sizeof *image, _Alignof(tn_image));
    if (image == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(image, 0, sizeof *image);
    tni_mem_init(&image->mem, opts->allocator, (size_t)limits->max_total_bytes);
    image->info = info;
    tni_image_job job;
    memset(&job, 0, sizeof job);
    job.bytes = src->bytes;
    job.size = src->size;
    job.info = info;
    job.form = opts->form;
    job.keep_damaged = (opts->flags & TN_IMAGE_KEEP_DAMAGED) != 0;
    job.mem = &image->mem;
    job.findings = image->findings;
    job.err = err;
    const tn_status status = decode_into(image, codec, &job, opts->flags);
    if (status != TN_OK) {
        tni_err_where(err, "%s", codec->name);
        tn_image_free(image);
        return status;
    }
    *out = image;
    return TN_OK;
}

static void fill_opts(tn_image_opts *out, const tn_image_opts *in)
{
    memset(out, 0, sizeof *out);
    if (in != NULL)
        memcpy(out, in,
               in->struct_size < sizeof *out ? in->struct_size : sizeof *out);
}

tn_status tn_image_decode(tn_image **out, const void *bytes, size_t size,
                          const tn_image_opts *opts, tn_err *err)
{
    tni_err_clear(err);
    if (out == NULL || (bytes == NULL && size != 0))
        return tni_fail(err, TN_EINVAL, "out or bytes is NULL");
    *out = NULL;
    tn_image_opts full;
    tn_limits limits;
    fill_opts(&full, opts);
    tni_limits_fill(&limits, full.limits);
    const tni_image_src src = {bytes, size, size, 0, false, err};
    return decode(out, &src, &full, &limits);
}

tn_status tn_image_read(tn_image **out, const char *path,
                        const tn_image_opts *opts, tn_err *err)
{
    tni_err_clear(err);
    if (out == NULL || path == NULL)
        return tni_fail(err, TN_EINVAL, "out or path is NULL");
    *out = NULL;
    tn_image_opts full;
    tn_limits limits;
    fill_opts(&full, opts);
    tni_limits_fill(&limits, full.limits);
    tni_file_map map;
    TN_TRY(tni_file_map_open(&map, path, limits.max_file_bytes, err));
    const tni_image_src src = {map.bytes, map.size, map.size, 0, false, err};
    const tn_status status = decode(out, &src, &full, &limits);
    if (status != TN_OK) tni_err_where(err, "%s", path);
    tni_file_map_close(&map);
    return status;
}

void tn_image_free(tn_image *image)
{
    if (image == NULL) return;
    tni_mem_free(&image->mem, image->pixels, image->size, TNI_ALIGN);
    const tn_allocator a = image->mem.allocator;
    a.free(a.ctx, image, sizeof *image, _Alignof(tn_image));
}

const tn_image_info *tn_image_get_info(const tn_image *image)
{
    return &image->info;
}

void tn_image_get_view(const tn_image *image, tn_image_view *view)
{
    const size_t size =
        view->struct_size < sizeof *view ? view->struct_size : sizeof *view;
    if (size <= sizeof view->struct_size) return;
    memcpy((char *)view + sizeof view->struct_size,
           (const char *)&image->view + sizeof view->struct_size,
           size - sizeof view->struct_size);
}

size_t tn_image_finding_count(const tn_image *image)
{
    return image->n_findings;
}

const tn_image_finding *tn_image_get_finding(const tn_image *image, size_t i)
{
    const size_t kept = image->n_findings < TNI_IMAGE_FINDINGS
                            ? image->n_findings
                            : TNI_IMAGE_FINDINGS;
    return i < kept ? &image->findings[i] : NULL;
}
