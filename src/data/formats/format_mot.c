/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_mot.c - MOT Challenge: sequences of frames, objects with tracks
 *
 * A sequence is a folder with gt/gt.txt, img1/000001.jpg and seqinfo.ini. The
 * dataset is one sequence, a folder of them, or folders of splits with
 * sequences. A line is
 *
 *     frame,id,left,top,width,height,conf,class,visibility
 *
 * Frames, ids, classes and pixels count from 1; conf 0 means "not considered"
 * (attribute "ignore"); id -1 is no track, class -1 no class. Lines of ten
 * fields (2D MOT 2015) have a place in the world instead of class and
 * visibility. Classes are those of gt/labels.txt, else the twelve of MOT16.
 * A frame of the sequence without a line has no objects.
 * The variant det is the detections of det/det.txt instead: conf is a score of
 * any size, the last fields are -1 (the place in the world) or class and -1.
 *
 * Source: motchallenge.net/instructions; arXiv:1603.00831, tables 5 and 6
 */
#include "data/formats/mot.h"

bool tni_mot_is_sequence(tni_reader *r, const char *folder)
{
    const char *gt = tni_join(r, folder, "gt/gt.txt");
    const char *ini = tni_join(r, folder, "seqinfo.ini");
    const char *det = tni_join(r, folder, "det/det.txt");
    return gt != NULL && ini != NULL && det != NULL &&
           (tni_path_look(gt).is_file || tni_path_look(ini).is_file ||
            tni_path_look(det).is_file);
}

static int probe(const tni_probe *p)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    if (!p->is_dir) return 0;
    if (tni_mot_is_sequence(p->r, p->path)) return 90;
    for (size_t i = 0; i < p->n_entries; i++) {
        const char *sub = tni_join(p->r, p->path, p->entries[i].name);
        if (!p->entries[i].is_dir || sub == NULL) continue;
        if (tni_mot_is_sequence(p->r, sub)) return 90;
        /* A folder of images is not looked through for sequences. */
        if (tni_list(p->r, sub, &e, &n, NULL) != TN_OK || n == 0 ||
            !e[0].is_dir)
            continue;
        const char *inner = tni_join(p->r, sub, e[0].name);
        if (inner != NULL && tni_mot_is_sequence(p->r, inner)) return 90;
    }
    return 0;
}
const tni_format tni_format_mot = {
    .name = "mot",
    .title = "MOT Challenge",
    .files = "gt/gt.txt",
    .variants = "gt det",
    .source = "https://motchallenge.net/instructions/",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(TRACK) | TNI_KEEPS(SCORE) |
             TNI_KEEPS(ATTRIBUTES) | TNI_KEEPS(CLASSLESS) |
             TNI_KEEPS(CLASS_ID) | TNI_KEEPS(SIZE) | TNI_KEEPS(META) |
             TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY),
    .off_pixels = 2e-9,
    .probe = probe,
    .read = tni_mot_read,
    .plan = tni_mot_plan,
    .rename = tni_mot_rename,
    .write = tni_mot_write,
};
