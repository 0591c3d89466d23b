/* SPDX-License-Identifier: Apache-2.0 */
/* cvat.h - what the reader and the writer of CVAT XML share */
#ifndef TN_SRC_DATA_FORMATS_CVAT_H
#define TN_SRC_DATA_FORMATS_CVAT_H

#include "data/formats/xmltree.h"

/* What the values of an attribute are: input_type of its definition. */
typedef enum tni_cvat_type {
    TNI_CVAT_TEXT = 1, /* text, select, radio: strings */
    TNI_CVAT_NUMBER = 2,
    TNI_CVAT_CHECKBOX = 3
} tni_cvat_type;

/* A task of the project: its frames. */
typedef struct tni_cvat_task {
    int32_t width, height;
} tni_cvat_task;

typedef struct tni_cvat {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_draft *draft;
    tni_classes classes;
    tni_image_set images;
    tni_strmap types;  /* "class/attribute" to tni_cvat_type */
    tni_strmap points; /* "class/point" to its number + 1 */
    tni_strmap frames; /* "split/number" to image + 1 */
    const char *top;   /* folder of the XML */
    uint32_t split;    /* of the file, TN_NONE: images say it */
    uint32_t n_files;
    bool video, has_images, any_video;
    int32_t width, height; /* of the frames of a video */
    tni_strmap tasks;      /* by id: tni_cvat_task */
    tni_strmap subsets;    /* to how many tasks they have */
    tni_arena scratch;     /* of the shape at hand */
    tni_arena nested;      /* of the track at hand */
} tni_cvat;

/* cvat_labels.c: <meta> and its labels */
tn_status tni_cvat_meta(tni_cvat *c, const tni_xtree *t, const tni_xnode *meta);
tn_status tni_cvat_class(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                         uint32_t *cls);
/* The type of an attribute, 0: nobody said. */
int tni_cvat_type_of(const tni_cvat *c, uint32_t cls, const char *name);
/* The number of a point of a skeleton; its class gets it while it may. */
tn_status tni_cvat_point(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                         uint32_t cls, bool may_add, uint32_t *k);
/* The types that labels of the dataset define, for the writer too. */
tn_status tni_cvat_define(tni_strmap *types, tni_arena *arena, const char *cls,
                          tni_span attributes, tn_err *err);
int tni_cvat_lookup(const tni_strmap *types, tni_arena *arena, const char *cls,
                    const char *name);
void **tni_cvat_slot(tni_strmap *map, tni_arena *arena, const char *cls,
                     const char *name);

/* cvat_shapes.c: one shape into the dataset */
typedef struct tni_cvat_shape {
    const tni_xtree *t;
    uint32_t image, cls;
    bool tracked;
    double track, group; /* group 0: none */
    const char *source;  /* of the track */
} tni_cvat_shape;

bool tni_cvat_is_shape(const char *name);
tn_status tni_cvat_read_shape(tni_cvat *c, const tni_cvat_shape *s,
                              const tni_xnode *n, uint32_t *ann);
/* The points of a skeleton from its elements. */
tn_status tni_cvat_set_points(tni_cvat *c, const tni_cvat_shape *s,
                              uint32_t ann, const tni_xnode *const *elements,
                              size_t n);
tn_status tni_cvat_f64(const tni_xtree *t, const tni_xnode *n, const char *name,
                       double *v);
const char *tni_cvat_attr(const tni_xnode *n, const char *name);

/* cvat_track.c */
tn_status tni_cvat_track(tni_cvat *c, const tni_xtree *t, const tni_xnode *n);
tn_status tni_cvat_frame(tni_cvat *c, const tni_xtree *t, const tni_xnode *at,
                         uint32_t split, int64_t task, int64_t frame,
                         uint32_t *image);
/* How many tasks have frames in a split (TN_NONE: the default one). */
size_t tni_cvat_tasks_of(const tni_cvat *c, uint32_t split);

/* The frame number of "frame_000012.png", -1: it is no frame's name. */
int64_t tni_cvat_frame_of(const char *name);

/* cvat_plan.c and cvat_write.c */
/* What the attributes of classes are, over all annotations. */
tn_status tni_cvat_infer(tni_strmap *types, tni_arena *arena,
                         const tn_dataset *d, tn_err *err);
/* Key and value of a member that is kept; whether a key is among others; what
 * becomes an attribute of a shape and what an element in it. */
bool tni_cvat_member(const tni_span *m, tni_span *key, tni_span *value);
bool tni_cvat_among(tni_span key, const char *const *list);
bool tni_cvat_is_attr(tni_span key, tni_span value);
bool tni_cvat_is_element(tni_span key, tni_span value);
uint64_t tni_cvat_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                       const char **variant);
tn_status tni_cvat_write(tni_writer *w, tn_err *err);

/* What a writer works with. */
typedef struct tni_cvat_out {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_xml_out x;
    tni_draft *draft;
    tni_strmap types;
    tn_shape s;
    tni_once keys; /* of the members at hand */
    /* Annotations of each class, linked; TN_NONE ends them. */
    uint32_t *first_of, *next_of;
    bool video;
    bool track_group;         /* the group is the track's */
    const char *track_source; /* of the track at hand */
} tni_cvat_out;

/* What point k of a skeleton is called. */
const char *tni_cvat_point_name(const tni_class_row *row, size_t k,
                                char number[32]);
tn_status tni_cvat_put_meta(tni_cvat_out *m);
/* A text that stays until the writer's arena is rewound; NULL sets status. */
const char *tni_cvat_keep(tni_cvat_out *m, const char *text, size_t len);

extern const char *const tni_cvat_reserved[]; /* attributes of shapes */

#endif
