/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_reader.h - what the two halves of Label Studio's reader share */
#ifndef TN_SRC_DATA_FORMATS_LABEL_STUDIO_READER_H
#define TN_SRC_DATA_FORMATS_LABEL_STUDIO_READER_H

#include "data/formats/label_studio.h"

/* A control of the labelling interface, as results name it. */
typedef struct tni_ls_control {
    struct tni_ls_control *next;
    tni_span from, type, to; /* without quotes, escapes and all */
    double width;            /* of a keypoint as drawn */
    bool answer;             /* has answered about a region */
    bool usual;              /* rows of its type that name none are its */
} tni_ls_control;

/* Named points of an annotation, made when all names are known. */
typedef struct tni_ls_points {
    struct tni_ls_points *next;
    uint32_t ann;
    size_t n;
    struct {
        uint32_t name;
        double x, y, visible;
    } at[];
} tni_ls_points;

/* The names of the points of a class, in the order they were met. */
typedef struct tni_ls_names {
    struct tni_ls_names *next;
    uint32_t cls;
    const char **list;
    uint32_t n, cap;
} tni_ls_names;

/* A control that the labelling interface has. */
typedef struct tni_ls_listed {
    struct tni_ls_listed *next;
    const char *name, *type;
    uint32_t n_labels;
    bool region; /* its labels are classes of regions */
} tni_ls_listed;

typedef struct tni_ls {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_jsonfile f;
    tni_classes classes;
    tni_draft *draft, *header;
    tni_arena work;    /* of one set of results */
    tni_strmap images; /* name: the text it was made of */
    tni_ls_control *controls, **last_control;
    size_t n_controls;
    tni_ls_points *points;
    tni_ls_names *names;
    tni_strmap names_of;    /* class to one of the names */
    const char *folders[4]; /* where images may lie */
    bool folder;
    tni_span config; /* the labelling interface; none: NULL */
    uint64_t config_where;
    tni_ls_listed *listed;
    uint32_t n_listed;     /* classes it has */
    bool config_says_more; /* than the writer would write */
} tni_ls;

/* Images and sets of a task while it is read. */
typedef struct tni_ls_task {
    uint32_t *images;
    size_t n_images;
    tni_draft *info[2]; /* of annotations and of predictions, as JSON */
    size_t n[2];        /* how many sets each has had */
    size_t expected;    /* how many annotations there are */
    bool says[2];       /* the info says anything */
    bool looked;        /* somebody has */
} tni_ls_task;

/* A reader over a value of the file, or over a text that was made. */
tni_json tni_ls_at(const tni_ls *l, tni_span value);
/* One annotation or prediction: its results become rows of the task's images;
 * what does not, and what it says of itself, goes to the task's info. */
tn_status tni_ls_read_set(tni_ls *l, tni_ls_task *task, tni_span set,
                          bool prediction);
/* The results of a record of JSON-MIN: objects at the ends of lists. */
tn_status tni_ls_read_min(tni_ls *l, tni_ls_task *task, tni_span record,
                          tni_span header);
/* The labelling interface beside the tasks, first of all; what of it has to be
 * kept, when they are read. */
tn_status tni_ls_read_config(tni_ls *l);
tn_status tni_ls_keep_config(tni_ls *l);
/* The number of a class's named point, added when it is new. */
tn_status tni_ls_name_point(tni_ls *l, uint32_t cls, tni_span raw,
                            uint32_t *index);
/* Whether a member of such a record has results. */
bool tni_ls_is_answer(const tni_ls *l, tni_span value);
/* Named points and the controls, when all is read. */
tn_status tni_ls_finish(tni_ls *l);

#endif
