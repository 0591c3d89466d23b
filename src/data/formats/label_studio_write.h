/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_write.h - what the parts of Label Studio's writer share */
#ifndef TN_SRC_DATA_FORMATS_LABEL_STUDIO_WRITE_H
#define TN_SRC_DATA_FORMATS_LABEL_STUDIO_WRITE_H

#include "data/formats/label_studio.h"

typedef struct tni_ls_known {
    tni_span from, type, to; /* texts of JSON, without quotes */
    tni_span width;          /* of keypoints; none: the usual one */
    bool usual;              /* of rows that do not name theirs */
} tni_ls_known;

typedef struct tni_ls_writer {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_out *o;
    tni_target *t;
    tni_arena work; /* of one image */
    tn_shape shape;
    tni_ls_known *controls;
    size_t n_controls;
    double width, height; /* of the image at hand, when sized */
    tni_strmap regions;   /* ids of its regions: 1, or 2 once written */
    uint32_t made;        /* ids made so far */
    uint8_t *named;       /* per class: the names of its points are written */
    bool sized, folder, min;
} tni_ls_writer;

/* How a row is written. */
typedef struct tni_ls_form {
    tni_ls_kind kind; /* TNI_LS_OTHER: not at all */
    double v[5];      /* x, y and two more in percent; degrees */
    size_t from, to;  /* points of the shape that is read */
    bool pixels;      /* those are in pixels */
} tni_ls_form;

/* The form of a row; its shape, if any, is in l->shape. */
tni_ls_form tni_ls_form_of(tni_ls_writer *l, uint32_t ann);
/* `"x": 1, …` or `"points": […]`, `"rle": […]`; no bracket around it. */
tn_status tni_ls_put_geometry(tni_ls_writer *l, const tni_ls_form *f);
/* The results of the region or answer at list[*k], which goes behind what it
 * took; `any` becomes true once there is one. */
tn_status tni_ls_put_results(tni_ls_writer *l, const uint32_t *list, size_t n,
                             size_t *k, bool *any);
/* The value of a member kept of a row; false when there is none. */
bool tni_ls_kept(const tni_sparse *s, uint32_t row, const char *key,
                 tni_span *value);
/* What an image's rows of regions are called, before they are written. */
tn_status tni_ls_collect_ids(tni_ls_writer *l, const uint32_t *list, size_t n);

#endif
