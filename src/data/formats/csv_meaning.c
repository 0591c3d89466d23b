/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_meaning.c - CSV manifests: what the numbers of boxes mean
 *
 * Boxes are kept as their four numbers until all tables are read. Then what
 * they may mean is weighed by what the files say: a meaning is out when more
 * than one box in a hundred contradicts it (numbers above 1.1 are no parts of
 * an image; where the columns leave the form open, edges in the wrong order and
 * boxes that leave their image). When more than one meaning is left nothing is
 * guessed.
 */
#include "data/formats/csv_table.h"

#include <math.h>
#include <stdio.h>

typedef tni_csv_part part;

typedef struct weight {
    uint64_t boxes, against[TNI_N_MEANINGS];
} weight;

/* Whether the numbers contradict a meaning. */
static bool contradicts(const tn_dataset *d, const tni_ann *a, unsigned form,
                        bool unit, bool one_form)
{
    double w = 0.0, h = 0.0;
    const double *b = a->box;
    if (unit)
        for (int k = 0; k < 4; k++)
            if (fabs(b[k]) > 1.1) return true;
    if (one_form) return false;
    if (form == TN_BOX_XYXY) return b[2] < b[0] || b[3] < b[1];
    if (b[2] < 0.0 || b[3] < 0.0) return true;
    if (unit)
        w = h = 1.0;
    else if (!tni_image_extent(d, a->image, &w, &h))
        return false;
    return b[0] + b[2] > w * 1.01 + 0.01 || b[1] + b[3] > h * 1.01 + 0.01;
}

static uint32_t form_bits(uint32_t meanings)
{
    return (meanings | meanings >> 1) & 0x15;
}

static void weigh(const tn_dataset *d, const part *p, weight *w)
{
    const uint32_t forms = form_bits(p->meanings);
    const bool one_form = (forms & (forms - 1)) == 0;
    for (uint32_t i = p->first; i < p->end; i++) {
        tni_ann a;
        tni_ann_get(d, i, &a);
        if ((a.flags & TN_HAS_BOX) == 0) continue;
        w->boxes++;
        for (unsigned k = 0; k < TNI_N_MEANINGS; k++)
            if ((p->meanings >> k & 1) != 0 &&
                contradicts(d, &a, k / 2, (k & 1) != 0, one_form))
                w->against[k]++;
    }
}

static const char *meaning_name(uint32_t meaning)
{
    static const char *const names[TNI_N_MEANINGS] = {
        "xyxy", "xyxy-unit", "xywh", "xywh-unit", "cxcywh", "cxcywh-unit"};
    return names[__builtin_ctz(meaning)];
}

static tn_status undecided(const part *p, uint32_t left, tn_err *err)
{
    char list[160] = "";
    size_t n = 0;
    const uint32_t offer = left != 0 ? left : p->meanings;
    for (unsigned k = 0; k < TNI_N_MEANINGS; k++)
        if ((offer >> k & 1) != 0)
            n += (size_t)snprintf(list + n, sizeof list - n, "%scsv:%s",
                                  n > 0 ? ", " : "", meaning_name(1u << k));
    tni_err_where(err, "%s", p->path);
    return tni_fail(err, TN_EINVAL,
                    "%s: say which (--from) of %s (xyxy: corners, xywh: corner "
                    "and size, cxcywh: centre and size; -unit: parts of the "
                    "image, else pixels)",
                    left != 0 ? "the numbers of the boxes can be meant in more "
                                "than one way"
                              : "the numbers of the boxes fit none of the ways "
                                "they can be meant",
                    list);
}

typedef struct settling {
    tn_dataset *d;
    const part *parts;
    size_t n_parts;
    uint32_t meaning;
    tn_err *err;
} settling;

/* Decides for all tables whose columns leave the same open. */
static tn_status decide(const settling *m, uint32_t meanings, uint32_t *chosen)
{
    weight w;
    const part *first = NULL;
    uint32_t left = 0;
    memset(&w, 0, sizeof w);
    for (size_t i = 0; i < m->n_parts; i++) {
        if (m->parts[i].meanings != meanings) continue;
        if (first == NULL) first = &m->parts[i];
        weigh(m->d, &m->parts[i], &w);
    }
    for (unsigned k = 0; k < TNI_N_MEANINGS; k++)
        if ((meanings >> k & 1) != 0 && w.against[k] * 100 <= w.boxes)
            left |= 1u << k;
    *chosen = left & (~left + 1);
    if (m->meaning != 0) *chosen = m->meaning;
    if (m->meaning != 0 || w.boxes == 0 || (left != 0 && left == *chosen))
        return TN_OK;
    if ((meanings & (meanings - 1)) == 0) {
        *chosen = meanings;
        return TN_OK;
    }
    return undecided(first, left, m->err);
}

tn_status tni_csv_settle(tn_dataset *d, tni_csv_part *parts, size_t n_parts,
                         uint32_t meaning, tn_err *err)
{
    const settling m = {d, parts, n_parts, meaning, err};
    uint32_t known[1u << TNI_N_MEANINGS] = {0}; /* 0: not decided yet */
    for (size_t i = 0; i < n_parts; i++) {
        part *p = &parts[i];
        if (p->meanings == 0) continue;
        if (known[p->meanings] == 0)
            TN_TRY(decide(&m, p->meanings, &known[p->meanings]));
        const uint32_t chosen = known[p->meanings];
        const unsigned k = (unsigned)__builtin_ctz(chosen);
        for (uint32_t a = p->first; a < p->end; a++)
            *tni_flags_at(d, a) |= TNI_FORM(k / 2) | TNI_SCALE(k & 1);
        if (p->variant == NULL) p->variant = meaning_name(chosen);
    }
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].kind != TNI_TABLE_MAPPING && d->variant == NULL)
            d->variant = parts[i].variant;
    return TN_OK;
}
