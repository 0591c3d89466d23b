/* SPDX-License-Identifier: Apache-2.0 */
/*
 * residue.h - the sidecar that keeps what a format could not
 *
 * A text file beside the converted dataset, a JSON object per line: first what
 * belongs to the dataset (classes, fields), then one line per image that lost
 * anything. Of an annotation it has what reads back differently than it was,
 * and no more. An annotation is found again by its number among those of its
 * image; a hash of what was written says whether somebody has changed it since,
 * and then it is left alone.
 *
 * The first line also says which fields only the target's format asked for
 * ("made"), and whether the order of classes is to be that of its list
 * ("ordered"); an image that the target has elsewhere has its place ("at").
 *
 * An image has its "files", by their endings, in base64.
 *
 * Members of an annotation, each left out where the target has it:
 *   n       its number, where it is not the one after the last; -1: it was not
 *           written at all, and everything follows
 *   hash    of what the target has
 *   id class flags score area angle track group z attributes caption extra
 *           as they were; null: there was none. flags left out: those of the
 *           first line
 *   box     [form, scale, four numbers], or [form, places]: the edges that the
 *           target gives, in pixels, so rounded
 *   shape keypoints
 *           [kind, layout, scale, dims, text], or places: the target's own,
 *           rounded to as many decimal places of a pixel
 *
 * Polygons are most of a dataset. Where the target has them to the hundred-
 * millionth of the image's side they are not repeated: pixels that had two
 * decimal places come back to the bit by rounding, others as near as that.
 */
#ifndef TN_SRC_DATA_RESIDUE_H
#define TN_SRC_DATA_RESIDUE_H

#include "data/blocks.h"
#include "data/formats/format.h"
#include "data/pair.h"

enum { TNI_RESIDUE_VERSION = 2 };

/* The sidecar while it is written, of what `w` wrote and `back` is when read
 * again. Its lines are those of images, in their order; several threads make
 * them, each on its lane. */
typedef struct tni_residue tni_residue;
typedef struct tni_residue_lane tni_residue_lane;

/* matches is by source image: its row in `back`. */
tn_status tni_residue_open(tni_residue **out, const tni_writer *w,
                           const tn_dataset *back, const uint32_t *matches,
                           const char *path, size_t n_lanes, tn_err *err);
/* Lines that are made on the block's lane go to the block, until `end`. */
tni_residue_lane *tni_residue_begin_block(tni_residue *r, tni_block *block);
tn_status tni_residue_end_block(tni_residue_lane *l);
/* An image and what it reads back as: a row of `back`, which may be of that
 * image alone (one.h). Whether it is in the sidecar: only then
 * its annotations follow, in the dataset's order, and its end. */
bool tni_residue_begin_image(tni_residue_lane *l, uint32_t image,
                             const tn_dataset *back, uint32_t match);
/* `at`: its number among those of the image in the target, -1: not there. */
void tni_residue_annotation(tni_residue_lane *l, tni_pair *pair, int64_t at);
void tni_residue_end_image(tni_residue_lane *l);
/* Writes the lines of a block. */
tn_status tni_residue_take(tni_residue *r, const tni_block *block, tn_err *err);
/* Keeps the file, or drops it when `status` is an error. Frees r. */
tn_status tni_residue_close(tni_residue *r, tn_status status, tn_err *err);

/* Looks for a sidecar beside what the reader read and puts back what it has. */
tn_status tni_residue_read(tni_reader *r, tn_err *err);

/* Where the sidecar of a target lies. */
char *tni_residue_path(tni_arena *arena, const char *target, bool one_file);

/* A number for what an annotation of a file says, the same on every machine. */
uint32_t tni_ann_hash(const tn_dataset *d, uint32_t ann);

/* The hashes of the first annotations of an image, made together when one is
 * asked for: a step of a hash waits for the one before it, those of others go
 * on meanwhile. Zeroed: of no image yet. */
enum { TNI_HASHED = 32 };

typedef struct tni_hashes {
    uint32_t image;
    bool known;
    uint32_t of[TNI_HASHED];
} tni_hashes;

/* To another image. */
static inline void tni_hashes_turn(tni_hashes *h, uint32_t image)
{
    h->image = image;
    h->known = false;
}
/* Of annotation `ann`, which is number `nth` of the image. */
uint32_t tni_hashes_at(tni_hashes *h, const tn_dataset *d, uint32_t ann,
                       int64_t nth);

/* --- what reads back ----------------------------------------------------- */

typedef enum tni_kept {
    TNI_KEPT_NOT = 0,
    TNI_KEPT = 1,        /* as it was */
    TNI_KEPT_ROUNDED = 2 /* when rounded to *places */
} tni_kept;

/* How near is the same, and whether the sidecar has the size of the image. */
typedef struct tni_nearness {
    double fine; /* pixels */
    bool sized;
} tni_nearness;

tni_kept tni_kept_shape(tni_pair *p, const tni_nearness *near, bool keypoints,
                        unsigned *places);
/* The box; *places TNI_MAX_PLACES + 1: not rounded at all. */
tni_kept tni_kept_box(tni_pair *p, const tni_nearness *near, unsigned *places);
/* Edges in pixels as a box of this form, rounded. */
void tni_box_from_edges(double box[4], const double edges[4], uint8_t form,
                        unsigned places);

#endif
