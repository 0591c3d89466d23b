/* SPDX-License-Identifier: Apache-2.0 */
/* labelme.h - the parts of the LabelMe format */
#ifndef TN_SRC_DATA_FORMATS_LABELME_H
#define TN_SRC_DATA_FORMATS_LABELME_H

#include "data/formats/jsonfile.h"

tn_status tni_labelme_read(tni_reader *r, tn_err *err);
tn_status tni_labelme_write(tni_writer *w, tn_err *err);

#endif
