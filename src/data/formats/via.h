/* SPDX-License-Identifier: Apache-2.0 */
/* via.h - the parts of the VIA format */
#ifndef TN_SRC_DATA_FORMATS_VIA_H
#define TN_SRC_DATA_FORMATS_VIA_H

#include "data/formats/jsonfile.h"

/* The key under which the dataset remembers which attribute is the class. */
#define TNI_VIA_CLASS "via_class_attribute"

tn_status tni_via_read(tni_reader *r, tn_err *err);
tn_status tni_via_write(tni_writer *w, tn_err *err);
/* The attribute that classes are written as; "label" unless the dataset
 * remembers another one. */
const char *tni_via_class_key(const tn_dataset *d, tni_arena *arena);

#endif
