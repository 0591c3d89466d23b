/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio.h - the parts of the Label Studio format */
#ifndef TN_SRC_DATA_FORMATS_LABEL_STUDIO_H
#define TN_SRC_DATA_FORMATS_LABEL_STUDIO_H

#include "data/formats/jsonfile.h"

/* What a result is, by its `type`. */
typedef enum tni_ls_kind {
    TNI_LS_OTHER = 0,
    TNI_LS_RECT,
    TNI_LS_POLYGON,
    TNI_LS_POINT,
    TNI_LS_ELLIPSE,
    TNI_LS_BRUSH,
    TNI_LS_LABELS, /* classes of a region that another result draws */
    TNI_LS_CHOICES,
    TNI_LS_TAXONOMY,
    TNI_LS_TEXT,
    TNI_LS_NUMBER,
    TNI_LS_RATING,
    TNI_LS_DATETIME
} tni_ls_kind;

static inline bool tni_ls_is_region(tni_ls_kind k)
{
    return k >= TNI_LS_RECT && k <= TNI_LS_BRUSH;
}

/* How a type is called, where its classes or answers are, and the control that
 * gives it when the dataset does not say. */
typedef struct tni_ls_type {
    const char *type;
    tni_ls_kind kind;
    const char *control;
} tni_ls_type;

const tni_ls_type *tni_ls_type_of(tni_span name);
/* The type of this kind, with or without classes. */
const char *tni_ls_type_name(tni_ls_kind kind, bool classes);

/* --- names of images -------------------------------------------------------- */

/* The path in a task's reference to its image, "" when there is none; with the
 * host in front when `host`. `folder`: what the dataset's own folder "images"
 * holds is named from there. NULL: no memory. */
const char *tni_ls_name(tni_arena *arena, const char *url, bool folder,
                        bool host);
/* The reference Label Studio's local storage has for this name. */
void tni_ls_put_url(tni_out *o, const char *name, bool folder);

/* --- masks ------------------------------------------------------------------- */

/* The pixels of an image of that size whose alpha is not 0, from the list of
 * bytes `j` is at. */
tn_status tni_ls_brush_read(tni_patch *p, tni_json *j, int64_t width,
                            int64_t height, tni_arena *arena, tn_err *err);
/* "[1, 2, …]": white where the mask is, transparent where it is not. */
tn_status tni_ls_brush_write(tni_out *o, const tn_shape *runs, tni_arena *arena,
                             tn_err *err);

/* --- the rest ---------------------------------------------------------------- */

#define TNI_LS_CONTROLS "label_studio_controls"
/* The labelling interface, where the writer would not make the same. */
#define TNI_LS_CONFIG      "label_studio_config"
#define TNI_LS_CONFIG_FILE "label_config.xml"
/* How large keypoints are drawn, in percent of the width. */
#define TNI_LS_POINT_WIDTH 0.5

tn_status tni_ls_read(tni_reader *r, tn_err *err);
tn_status tni_ls_write(tni_writer *w, tn_err *err);
/* [["a", 1], ["b", null]]: the first n classes and their ids. */
void tni_ls_put_listed(tni_out *o, const tn_dataset *d, uint32_t n);
/* Whether the dataset's labelling interface still has its classes. */
bool tni_ls_config_fits(const tn_dataset *d, tni_span config);
/* Whether attributes (a JSON object) have only what controls can give: texts,
 * numbers, lists of several texts. */
bool tni_ls_plain_attributes(tni_span object);

#endif
