/* SPDX-License-Identifier: Apache-2.0 */
/* one.c - an image at a time of a dataset whose annotations stay in its files */
#include "data/one.h"

#include <string.h>

tn_status tni_one_init(tni_one *o, const tn_dataset *whole, tn_err *err)
{
    uint32_t index = 0;
    tni_image_row blank;
    memset(o, 0, sizeof *o);
    memset(&blank, 0, sizeof blank);
    blank.name = "";
    o->whole = whole;
    TN_TRY(tni_dataset_new(&o->d, NULL, &whole->limits, err));
    o->d->format = whole->format;
    o->d->variant = whole->variant;
    o->d->path = whole->path;
    memcpy(o->d->splits, whole->splits, sizeof o->d->splits);
    o->d->n_splits = whole->n_splits;
    for (uint32_t i = 0; i < whole->classes.n; i++)
        TN_TRY(tni_add_class(o->d, tni_class_at(whole, i), &index, err));
    TN_TRY(tni_source_add(o->d, whole->path, &index, err));
    return tni_add_image(o->d, &blank, &index, err);
}

void tni_one_fini(tni_one *o)
{
    tni_file_map_close(&o->map);
    tn_dataset_close(o->d);
    o->d = NULL;
}

tn_status tni_one_read(tni_one *o, uint32_t image, tn_err *err)
{
    tni_file_map_close(&o->map);
    tni_dataset_clear(o->d);
    *tni_image_at(o->d, 0) = *tni_image_at(o->whole, image);
    TN_TRY(o->whole->format->read_image(o, image, err));
    return tni_dataset_seal(o->d, err);
}

tn_status tni_one_file(tni_one *o, const char *path, tni_span *text,
                       bool *there, tn_err *err)
{
    tn_err why;
    uint64_t size = 0;
    memset(&why, 0, sizeof why);
    const tn_status status =
        tni_file_read(o->text, sizeof o->text, &size, path, &why);
    *there = status != TN_ENOTFOUND;
    if (!*there) return TN_OK;
    if (status != TN_OK) {
        if (err != NULL) *err = why;
        return status;
    }
    TNI_ROW(&o->d->sources, tni_source, 0)->path = path;
    text->p = o->text;
    text->len = (size_t)size;
    const uint64_t most = o->d->limits.max_file_bytes;
    if (size <= sizeof o->text && (most == 0 || size <= most)) return TN_OK;
    TN_TRY(tni_file_map_open(&o->map, path, most, err));
    text->p = o->map.size > 0 ? (const char *)o->map.bytes : "";
    text->len = o->map.size;
    return TN_OK;
}
