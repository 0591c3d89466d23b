/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_items.h - one result of Label Studio, taken apart */
#ifndef TN_SRC_DATA_FORMATS_LABEL_STUDIO_ITEMS_H
#define TN_SRC_DATA_FORMATS_LABEL_STUDIO_ITEMS_H

#include "data/formats/label_studio_reader.h"

/* The numbers of a value. */
enum {
    TNI_LS_X,
    TNI_LS_Y,
    TNI_LS_W,
    TNI_LS_H,
    TNI_LS_TURN,
    TNI_LS_RX,
    TNI_LS_RY,
    TNI_LS_OW,
    TNI_LS_OH,
    TNI_LS_NUMS
};

typedef struct tni_ls_item {
    const char *at;
    tni_span whole, id, type, from, to, value, parent, origin, keypoints;
    tni_span labels, points, rle, answer;
    tni_ls_kind kind;
    double num[TNI_LS_NUMS], score, image_turn, visible;
    uint32_t seen; /* bits of the numbers */
    int64_t index; /* which of the task's images, -1: not said */
    bool scored, hidden, extras, value_extras;
    bool done;                /* is in a row */
    bool owned;               /* is about a region that another draws */
    uint32_t ann, n_anns;     /* its rows */
    struct tni_ls_item *next; /* of those that belong to the same region */
    struct tni_ls_item *child, *point; /* answers and labels; named points */
} tni_ls_item;

static inline bool tni_ls_has(const tni_ls_item *it, int num)
{
    return (it->seen >> num & 1) != 0;
}

/* One object of `result`; of JSON-MIN, where the value is all there is. */
tn_status tni_ls_item_read(tni_ls *l, tni_json *j, tni_ls_item *it);
tn_status tni_ls_item_min(tni_ls *l, tni_json *j, tni_span from,
                          tni_ls_item *it);
/* Sets what no row of ours has a place for: "key": value each. */
tn_status tni_ls_item_extras(tni_ls *l, const tni_ls_item *it, uint32_t ann);
/* The control that gave it, NULL: the file does not say. */
tni_ls_control *tni_ls_control_of(tni_ls *l, const tni_ls_item *it);
/* That the control of an item could not be had. */
tn_status tni_ls_no_control(tni_ls *l);
/* Whether rows of its type that name no control are its: the first that asks
 * is the one. */
bool tni_ls_is_usual(tni_ls *l, tni_ls_control *own);

#endif
