/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson.h - the parts of the Ultralytics NDJSON format */
#ifndef TN_SRC_DATA_FORMATS_NDJSON_H
#define TN_SRC_DATA_FORMATS_NDJSON_H

#include "data/formats/jsonfile.h"

/* Fields of the dataset's record: "ndjson.name" and the like. */
#define TNI_ND_META "ndjson."

typedef enum tni_nd_task {
    TNI_ND_NONE = 0,
    TNI_ND_DETECT,
    TNI_ND_SEGMENT,
    TNI_ND_POSE,
    TNI_ND_OBB,
    TNI_ND_CLASSIFY,
    TNI_ND_TASKS
} tni_nd_task;

/* A task and the member of `annotations` that is its. */
typedef struct tni_nd_name {
    const char *task, *key;
} tni_nd_name;

extern const tni_nd_name tni_nd_names[TNI_ND_TASKS];

/* The number a class has in the file. */
int64_t tni_nd_class_number(const tn_dataset *d, uint32_t cls);

tn_status tni_nd_read(tni_reader *r, tn_err *err);
tn_status tni_nd_write(tni_writer *w, tn_err *err);

#endif
