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

/* What a control has given: choices, paths of a taxonomy, names of points. */
typedef struct tni_ls_value {
    struct tni_ls_value *next;
    tni_span text; /* JSON */
} tni_ls_value;

/* A control that a result names. */
typedef struct tni_ls_used {
    struct tni_ls_used *next;
    const char *type;
    tni_span from, to; /* texts of JSON, without quotes */
    tni_strmap values;
    tni_ls_value *first, *last;
    bool about_region; /* it asks about regions alone */
    bool classed;      /* of keypoints: one has a class */
    bool several;      /* of choices: an answer has more than one */
} tni_ls_used;

/* What a class is used for, where that matters to a control. */
enum { TNI_LS_TAGGED = 1, TNI_LS_DOTTED = 2 };

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
    tni_draft *draft;
    tni_ls_used *used, *now; /* all; that of the result being written */
    tni_ls_used *last_used;
    tni_strmap by_name; /* of `used` */
    tni_span key;       /* of `data` that has the image */
    uint8_t *class_uses;
    bool all_dotted; /* a control of keypoints has all classes */
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

/* --- the labelling interface ------------------------------------------------- */

/* That a result names this control; errors stick to the file. */
void tni_ls_use(tni_ls_writer *l, const char *type, tni_span from, tni_span to,
                bool about_region);
/* That the control used last gives this value; the values of a list. */
void tni_ls_use_value(tni_ls_writer *l, tni_span json);
void tni_ls_use_values(tni_ls_writer *l, tni_span json);
void tni_ls_use_text(tni_ls_writer *l, const char *text);
tn_status tni_ls_write_config(tni_ls_writer *l);

#endif
