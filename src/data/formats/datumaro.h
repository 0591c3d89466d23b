/* SPDX-License-Identifier: Apache-2.0 */
/* datumaro.h - the parts of the Datumaro format */
#ifndef TN_SRC_DATA_FORMATS_DATUMARO_H
#define TN_SRC_DATA_FORMATS_DATUMARO_H

#include "data/formats/jsonfile.h"

/* One file, all of `split` (TN_NONE: none). `folders` is where images may lie;
 * NULL ends it. */
tn_status tni_datumaro_read(tni_reader *r, const char *path, uint32_t split,
                            const char *const *folders, tn_err *err);
tn_status tni_datumaro_write(tni_writer *w, tn_err *err);

#endif
