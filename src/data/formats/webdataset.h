/* SPDX-License-Identifier: Apache-2.0 */
/* webdataset.h - the parts of the WebDataset format */
#ifndef TN_SRC_DATA_FORMATS_WEBDATASET_H
#define TN_SRC_DATA_FORMATS_WEBDATASET_H

#include "data/formats/coco.h"
#include "data/formats/jsonfile.h"
#include "data/tar.h"

/* What no single sample says: all classes, fields of the dataset. */
#define TNI_WDS_REST "dataset.json"

/*
 * The key of a member and what follows: "a/img.v2.jpg" is "a/img" and "v2.jpg".
 * False for what is no member of a sample: no dot, nothing before it, or a
 * folder of remarks (__name__/).
 */
bool tni_wds_key(const char *name, size_t *key);
/* Length of a shard's name without its number and ".tar"; 0: it is none. */
size_t tni_wds_stem(const char *name);

/*
 * Members beyond the image, .json, .cls and .txt. A text or a JSON of up to 64
 * KiB is a field of the image, called after its ending: ".note": "text",
 * ".meta.json": value. Others are files of the image.
 */
bool tni_wds_is_json(const char *ending);
/* Whether a text under this ending is written again as it was read. */
bool tni_wds_takes(const char *ending, tni_span text, bool *json);
/* Whether a field is a member of its own; its ending then, and its value. */
bool tni_wds_member(const tni_span *field, tni_span *ending, tni_span *value);
bool tni_wds_is_member(const tni_span *field);

tn_status tni_wds_read(tni_reader *r, tn_err *err);
tn_status tni_wds_write(tni_writer *w, tn_err *err);

#endif
