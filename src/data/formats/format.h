/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.h - what a dataset format is
 *
 * A format is one constant in one file: what it is called, what it can hold,
 * how it is recognised, read and written. What it cannot hold is counted by
 * the library from `keeps`; a format never has to say what it loses.
 */
#ifndef TN_SRC_DATA_FORMATS_FORMAT_H
#define TN_SRC_DATA_FORMATS_FORMAT_H

#include "data/blocks.h"
#include "data/dataset.h"
#include "data/features.h"
#include "sys/dir.h"

/* --- recognising --------------------------------------------------------- */

typedef struct tni_reader tni_reader;
struct tni_one;

/* What a probe may look at. It reads as little as it can. */
typedef struct tni_probe {
    const char *path;
    bool is_dir;
    tni_span head; /* first bytes of a file, at most 64 KiB; none of a folder */
    const tni_dir_entry *entries; /* of a folder */
    size_t n_entries;
    tni_reader *r; /* for paths and memory */
} tni_probe;

/* Whether the folder has an entry of this name. */
bool tni_probe_has(const tni_probe *p, const char *name);
/* The first bytes (at most 64 KiB) of any file; empty when there is none. */
tni_span tni_probe_head(const tni_probe *p, const char *path);
/* What lies in a folder, and in those inside it down to three levels: texts and
 * images by the ends of their names. */
typedef struct tni_held {
    const char *text; /* the first that is not empty; NULL: none */
    bool texts, images, others;
} tni_held;

void tni_probe_held(tni_held *held, const tni_probe *p, const char *folder);
/* Whether the bytes have this text. */
bool tni_has_text(tni_span bytes, const char *text);
/* Whether the object of JSON that the bytes are, or begin with, has a member of
 * this name: itself, not something inside it. */
bool tni_head_has(tni_span head, const char *name);
/* Whether a name ends in `suffix`, in any case. */
bool tni_ends_with(const char *name, const char *suffix);

/* --- reading ------------------------------------------------------------- */

/* What a reader works with. Rows go into `d` by the functions of dataset.h. */
struct tni_reader {
    tn_dataset *d;
    const char *path; /* the file or folder, as given; no slash at its end */
    bool is_dir;
    const char *variant; /* as asked for, NULL: decide by content */
    const char *images;  /* folder of the images, NULL: the format's own */
    uint32_t flags;      /* tn_dataset_flag */
    tni_arena scratch;   /* until the reader returns */
    const tn_dataset_opts *opts;
    uint64_t next_progress;
    tni_strmap folders;         /* whose names tni_find_image has listed */
    struct tni_class_set *same; /* classes that tni_same_class has met */
    tni_threadpool *pool;       /* of tni_reader_threads; NULL: none yet */
    bool leave; /* annotations may stay in their files: see one.h */
};

/* "folder/name" in the scratch arena; the folder of a file. NULL: no memory. */
char *tni_join(tni_reader *r, const char *folder, const char *name);
char *tni_folder_of(tni_reader *r, const char *path);
/* Calls the caller's progress now and then; TN_ECANCELED when it says so. */
tn_status tni_reader_progress(tni_reader *r, uint64_t done, uint64_t total,
                              tn_err *err);
/*
 * Looks for the file of an image under the folders given (NULL ends the list)
 * by its name and sets file, raw size and orientation from its header. A name
 * that leaves the folder is not followed. Not finding it is no error, nor is a
 * file whose header is broken: that is a note.
 */
tn_status tni_find_image(tni_reader *r, uint32_t image,
                         const char *const *folders, tn_err *err);
struct tn_image_info;
/* The header of an image: of its file, or of its bytes inside a source.
 * TN_ENOTFOUND when it has neither. */
tn_status tni_image_header(const tn_dataset *d, uint32_t image,
                           struct tn_image_info *info, tn_err *err);
/* Reads size and orientation from it. */
tn_status tni_read_header(tni_reader *r, uint32_t image, tn_err *err);
/* The same with a header that was read before: its status, and why it could not
 * be read. */
tn_status tni_set_header(tni_reader *r, uint32_t image, tn_status status,
                         const struct tn_image_info *info, const char *why,
                         tn_err *err);
/* Threads for a loop over so many files; *par NULL: none. Valid as long as the
 * reader. */
tn_status tni_reader_threads(tni_reader *r, uint64_t n_items,
                             const tni_par **par, tn_err *err);
/* The entries of a folder in the scratch arena; none when there is no such
 * folder. */
tn_status tni_list(tni_reader *r, const char *folder,
                   const tni_dir_entry **entries, size_t *n, tn_err *err);
/* Whether a name ends like an image file's. */
bool tni_is_image_name(const char *name);

/* --- writing ------------------------------------------------------------- */

typedef struct tni_writer tni_writer;

/* What a writer works with. */
struct tni_writer {
    const tn_dataset *d;
    const char *variant; /* one of the format's, chosen; NULL: it has none */
    const char *folder;  /* where everything is written; exists, empty */
    const char *file;    /* name of the one file to write, NULL: a folder */
    uint64_t keeps;      /* features that are written */
    tni_arena arena;     /* until the writer returns */
    const char **names;  /* of each image in the target, unique there; a
                              writer that puts folders in front says so here */
    uint8_t *written; /* per annotation: TNI_WRITTEN when it is in the file */
    uint32_t *rank;   /* per annotation, in the arena: a number that grows in
                         the order it is read back; NULL: the order is the
                         dataset's */
    tn_files files;   /* what tni_write_image does */
    uint64_t n_files, n_images, bytes;
    uint64_t shard_bytes, shard_images; /* of one; 0: the format's own */
    const tni_par *par;                 /* threads for tni_write_images */
    int (*progress)(void *ctx, const char *stage, uint64_t done,
                    uint64_t total);
    void *progress_ctx;
};

/* A file of the target; folders on its way are made. Errors stick in `o`. */
typedef struct tni_target {
    tni_writer *w;
    tni_file_out *file;
    tni_out out;
} tni_target;

tn_status tni_target_open(tni_target *t, tni_writer *w, const char *name,
                          tn_err *err);
/* Flushes and keeps the file, or drops it when anything failed. */
tn_status tni_target_close(tni_target *t, tn_err *err);

/*
 * A loop over all images for formats that write a file for each, by several
 * threads. Each works on its own copy of `state` (`size` bytes) and with its
 * own writer `w`, whose arena lasts until the loop is over: nothing that two
 * images write may be the same. `fini` (NULL: none) ends each copy.
 */
typedef struct tni_image_loop {
    const void *state;
    size_t size;
    tn_status (*put)(void *state, tni_writer *w, uint32_t image, tn_err *err);
    void (*fini)(void *state);
} tni_image_loop;

tn_status tni_write_images(tni_writer *w, const tni_image_loop *loop,
                           tn_err *err);

/* Puts the image's file at `to` in the target: copied, linked or not at all,
 * as the caller of the conversion wants; nothing when it has no file. What lies
 * inside a source cannot be linked: its bytes are copied. */
tn_status tni_write_image(tni_writer *w, uint32_t image, const char *to,
                          tn_err *err);
/*
 * The encoded bytes of an image for a format that holds images itself: mapped
 * from its file or from inside a source, nothing copied. size 0: it has none,
 * or the caller wants images left where they are.
 */
typedef struct tni_image_data {
    const uint8_t *bytes;
    size_t size;
    tni_file_map map; /* of a file of its own */
} tni_image_data;

tn_status tni_image_data_open(tni_image_data *data, tni_writer *w,
                              uint32_t image, tn_err *err);
void tni_image_data_close(tni_image_data *data);

/* Size of an image's encoded bytes as they will be written; 0: none. */
uint64_t tni_image_size(const tni_writer *w, uint32_t image);

/* Which shard the images of a split go to, one after the other. */
typedef struct tni_shards {
    uint64_t max_bytes, max_images; /* 0: any number */
    uint64_t bytes, images;         /* in the one being filled */
    uint32_t nth;
} tni_shards;

/* With the limits of the caller, or these where there are none. */
void tni_shards_init(tni_shards *s, const tni_writer *w, uint64_t max_bytes,
                     uint64_t max_images);
/* The shard, from 0, of an image of this size; every shard has an image. */
uint32_t tni_shards_next(tni_shards *s, uint64_t size);

/* Calls the caller's progress; TN_ECANCELED when it says so. Writers call it
 * now and then with the images done. */
tn_status tni_writer_progress(tni_writer *w, const char *stage, uint64_t done,
                              uint64_t total, tn_err *err);
/* Makes ranks the places among the written annotations of each image. */
tn_status tni_rank_images(tni_writer *w, tn_err *err);
/* The split an image is written to: its first, TN_NONE without any. */
uint32_t tni_first_split(const tni_image_row *image);

/* --- a format ------------------------------------------------------------ */

enum {
    /* Names of images must differ without their extensions too. */
    TNI_FORMAT_STEMS = 1 << 0,
    /* A target that ends like `files` is one file instead of a folder. */
    TNI_FORMAT_ONE_FILE = 1 << 1,
    /* Coordinates are relative to the size of the image. */
    TNI_FORMAT_UNITS = 1 << 2,
    /* There is no list of classes: they are those of annotations, in the order
     * of their bytes. */
    TNI_FORMAT_SEEN_CLASSES = 1 << 3,
    /* Names of images must differ across splits too. */
    TNI_FORMAT_ONE_SPACE = 1 << 4,
    /* Readers drop what lies outside the image: the writer moves it to the
     * edge and marks it TNI_WRITTEN_CUT. */
    TNI_FORMAT_INSIDE = 1 << 5,
    /* Each split has its own fields of the dataset. */
    TNI_FORMAT_SPLIT_FIELDS = 1 << 6,
    /* One file tells the split of every image. */
    TNI_FORMAT_FILE_SPLITS = 1 << 7,
    /* Names of images end like their files: ".png". */
    TNI_FORMAT_ENDINGS = 1 << 8,
    /* The masks of an image lie in one picture, where a pixel is of one object:
     * `plan` counts those that others hide. */
    TNI_FORMAT_PICTURES = 1 << 9,
    /* Its files may be gzip, which its probe and its reader see as it is; those
     * of other formats come unpacked. */
    TNI_FORMAT_PACKED = 1 << 10,
    /* TNI_FORMAT_SEEN_CLASSES of a target that is one file. */
    TNI_FORMAT_FILE_SEEN = 1 << 11
};

/* An annotation in the file, with its geometry or cut at the image's edges. */
enum { TNI_WRITTEN = 1, TNI_WRITTEN_CUT = 2 };

typedef struct tni_format {
    const char *name, *title; /* "coco", "COCO JSON" */
    const char *files;        /* "*.json" */
    const char *source;       /* URL or paper of the definition followed */
    const char *variants;     /* "detect segment", NULL: none */
    uint64_t keeps;           /* TNI_KEEPS bits, over all variants */
    uint32_t flags;
    /* How far a printed coordinate may be off: in pixels, and in parts of the
     * image's width or height; both 0: exact. */
    double off_pixels, off_units;
    /* 0 … 100 from names and first bytes; 50 and more: sure enough to read. */
    int (*probe)(const tni_probe *p);
    tn_status (*read)(tni_reader *r, tn_err *err);
    /* The annotations of an image of a dataset that `read` left in its files,
     * into one->d; any thread. NULL: it never leaves them. */
    tn_status (*read_image)(struct tni_one *one, uint32_t image, tn_err *err);
    /* Which variant suits the dataset best, and what it keeps; *variant comes
     * set when the caller chose one. What only the format can see it counts
     * itself: TNI_F_MASK_OVERLAP, or how many of a feature it cannot hold. NULL:
     * `keeps`. */
    uint64_t (*plan)(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant);
    /* What of `keeps` a target of one file holds, and as which variant (*variant
     * is that of plan); NULL: all. */
    uint64_t (*plan_file)(const tn_dataset *d, const char **variant,
                          uint64_t keeps);
    /* Gives images the names that the format prescribes, unique within a split;
     * `names` comes with those that are kept. NULL: names stay. */
    tn_status (*rename)(const tn_dataset *d, const char **names,
                        tni_arena *arena, tn_err *err);
    /* Whether a target of one file with this name reads back as all of this
     * split; NULL: never. */
    bool (*names_split)(const char *file, const char *split);
    /* NULL: read only. */
    tn_status (*write)(tni_writer *w, tn_err *err);
} tni_format;

#define TN_FORMAT(name) extern const tni_format tni_format_##name;
#include "data/formats/formats.def"
#undef TN_FORMAT

/* TN_EINVAL, saying which there are, when the format has no such variant. */
tn_status tni_check_variant(const tni_format *f, const char *variant,
                            tn_err *err);

/* The table, and a row by name (NULL: none). */
const tni_format *const *tni_formats(int *n);
const tni_format *tni_format_find(const char *name);

#endif
