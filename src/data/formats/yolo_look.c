/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yolo_look.c - images and labels of YOLO looked up, by several threads
 *
 * A dataset of a million images is a million files of labels: opening them
 * takes longer than understanding them. Everything here only looks; rows are
 * made of it one after the other (yolo_read.c).
 */
#include "data/formats/yolo.h"
#include "data/names.h"

enum { SMALL_FILE = 64 << 10, ITEMS_OF_BLOCK = 64, MAX_PATH = 4096 };

typedef struct lane {
    tni_mem mem;
    tni_arena arena;
    char text[SMALL_FILE];
} lane;

typedef struct looking {
    const tni_yolo_look *look;
    lane *lanes;
} looking;

/* What is known of the item at hand. */
typedef struct place {
    const char *path, *label; /* NULL: none */
    tn_err why;
} place;

/* The last folder "images" of a path; NULL when there is none. */
char *tni_yolo_last_images(char *path)
{
    char *found = strncmp(path, "images/", 7) == 0 ? path : NULL;
    for (char *p = path; (p = strstr(p, "/images/")) != NULL; p++)
        found = p + 1;
    return found;
}

char *tni_yolo_label_path(tni_arena *arena, const char *image)
{
    const size_t stem = tni_stem_len(image);
    char *out = tni_arena_alloc(arena, strlen(image) + 8, 1);
    if (out == NULL) return NULL;
    memcpy(out, image, stem);
    memcpy(out + stem, ".txt", 5);
    char *at = tni_yolo_last_images(out);
    if (at != NULL) memcpy(at, "labels", 6);
    return out;
}

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

static bool is_list(const tni_yolo_look *look, const char *path)
{
    return tni_strmap_find(look->lists, path, strlen(path)) != NULL;
}

static bool is_file(const char *path)
{
    return tni_path_look(path).is_file;
}

static char *join(tni_arena *arena, const char *folder, const char *name)
{
    const size_t n = strlen(folder), m = strlen(name);
    char *out = tni_arena_alloc(arena, n + m + 2, 1);
    if (out == NULL) return NULL;
    memcpy(out, folder, n);
    out[n] = '/';
    memcpy(out + n + 1, name, m + 1);
    return out;
}

/* A line of a list: relative to the list's folder with "./", else to the root;
 * darknet's begin with the folder that holds the root. */
static tn_status follow_line(const tni_yolo_look *look,
                             const tni_yolo_item *item, tni_arena *arena,
                             place *at, tni_yolo_seen *seen, tn_err *err)
{
    char *first = NULL;
    for (const char *p = item->tail; p != NULL && !seen->found;) {
        const tni_arena_mark mark = tni_arena_save(arena);
        const bool here = p == item->tail && item->line[0] == '.';
        char *path = join(arena, here ? item->list->folder : look->c->root, p);
        if (path == NULL) return no_memory(err);
        if (first == NULL) first = path;
        if (first == path && strlen(first) >= MAX_PATH) break;
        char *label = tni_yolo_label_path(arena, path);
        if (label == NULL) return no_memory(err);
        at->path = path;
        at->label = label;
        const bool labelled =
            look->c->left && !is_list(look, label) && is_file(label);
        /* Who leaves labels where they are wants nothing of the image. */
        seen->there = !labelled && is_file(path);
        seen->found = labelled || seen->there ||
                      (!is_list(look, label) && is_file(label));
        if (!seen->found && path != first) tni_arena_rewind(arena, mark);
        p = strchr(p, '/');
        if (p != NULL) p++;
    }
    if (seen->found) return TN_OK;
    if (first != NULL && tni_path_look(first).is_dir)
        return tni_yolo_list_fail(
            item->list, item->where & ((UINT64_C(1) << 40) - 1),
            "is a folder; expected the path of an image (a folder of images "
            "is named in the data.yaml)",
            err);
    at->path = first;
    at->label = NULL;
    return TN_OK;
}

static tn_status find_files(const tni_yolo_look *look,
                            const tni_yolo_item *item, tni_arena *arena,
                            place *at, tni_yolo_seen *seen, tn_err *err)
{
    if (item->label != NULL) {
        at->label = item->label;
        return TN_OK;
    }
    if (item->path == NULL)
        return follow_line(look, item, arena, at, seen, err);
    at->path = item->path;
    at->label = tni_yolo_label_path(arena, item->path);
    if (at->label == NULL) return no_memory(err);
    seen->found = true;
    seen->there = tni_path_look(item->path).is_file;
    return TN_OK;
}

/* Lines and text of a small file of labels, behind what is there already. */
static tn_status split_lines(tni_block *b, tni_yolo_seen *seen,
                             const char *text, size_t size, const char *path)
{
    tni_yolo_text t;
    tni_yolo_seen_line l;
    tni_yolo_line line;
    tni_yolo_text_init(&t, text, size);
    memset(&l, 0, sizeof l);
    seen->n_zeros = (uint32_t)t.n_zeros;
    seen->text_len = (uint32_t)size;
    while (tni_yolo_next_line(&t, &line)) {
        line.where = (uint64_t)(line.p - text);
        line.file = path;
        TN_TRY(tni_yolo_split_line(&line, &l.tokens, &b->err));
        l.begin = (uint32_t)line.where;
        l.len = (uint32_t)line.len;
        l.number = line.number;
        seen->n_lines++;
        TN_TRY(tni_block_write(b, &l, sizeof l, &b->err));
    }
    return tni_block_write(b, text, size, &b->err);
}

static tn_status read_labels(const tni_yolo_look *look, tni_block *b, lane *l,
                             const place *at, tni_yolo_seen *seen)
{
    uint64_t size = 0;
    if (at->label == NULL || is_list(look, at->label)) return TN_OK;
    seen->labels = look->c->left;
    if (look->c->left) return TN_OK;
    const tn_status status =
        tni_file_read(l->text, sizeof l->text, &size, at->label, &b->err);
    if (status == TN_ENOTFOUND) {
        memset(&b->err, 0, sizeof b->err);
        return TN_OK;
    }
    TN_TRY(status);
    const uint64_t most = look->r->d->limits.max_file_bytes;
    seen->labels = true;
    seen->large = size > sizeof l->text || (most != 0 && size > most);
    return seen->large ? TN_OK
                       : split_lines(b, seen, l->text, (size_t)size, at->label);
}

static tn_status look_at(const tni_yolo_look *look, tni_block *b, lane *l,
                         const tni_yolo_item *item)
{
    tni_yolo_seen seen;
    place at;
    const size_t begin = b->n_bytes;
    memset(&seen, 0, sizeof seen);
    memset(&at, 0, sizeof at);
    TN_TRY(find_files(look, item, &l->arena, &at, &seen, &b->err));
    const tn_image_info blank = TN_IMAGE_INFO_INIT;
    seen.info = blank;
    if (seen.there && (look->r->flags & TN_DATASET_NO_HEADERS) == 0)
        seen.header =
            tn_image_info_read(&seen.info, at.path, TN_IMAGE_HEAD_ONLY,
                               &look->r->d->limits, &at.why);
    const char *path = at.path != NULL ? at.path : "";
    seen.path_len = (uint32_t)strlen(path);
    seen.why_len = (uint32_t)strlen(at.why.message);
    TN_TRY(tni_block_write(b, &seen, sizeof seen, &b->err));
    TN_TRY(tni_block_write(b, path, seen.path_len + 1u, &b->err));
    TN_TRY(tni_block_write(b, at.why.message, seen.why_len + 1u, &b->err));
    TN_TRY(read_labels(look, b, l, &at, &seen));
    memcpy(b->bytes + begin, &seen, sizeof seen);
    return TN_OK;
}

static tn_status work(void *ctx, tni_block *b)
{
    const looking *k = ctx;
    lane *l = &k->lanes[b->lane];
    for (uint32_t i = b->begin; i < b->end; i++) {
        const tni_arena_mark mark = tni_arena_save(&l->arena);
        const tn_status status = look_at(k->look, b, l, &k->look->items[i]);
        tni_arena_rewind(&l->arena, mark);
        TN_TRY(status);
    }
    return TN_OK;
}

static tn_status take(void *ctx, const tni_block *b, tn_err *err)
{
    const looking *k = ctx;
    const char *p = b->bytes;
    (void)err; /* the taker has its own */
    for (uint32_t i = b->begin; i < b->end; i++) {
        tni_yolo_seen seen;
        memcpy(&seen, p, sizeof seen);
        p += sizeof seen;
        TN_TRY(k->look->take(k->look->ctx, i, &seen, p));
        p += seen.path_len + 1u + seen.why_len + 1u +
             (size_t)seen.n_lines * sizeof(tni_yolo_seen_line) + seen.text_len;
    }
    return TN_OK;
}

tn_status tni_yolo_look_at(const tni_yolo_look *look, const tni_par *par,
                           tn_err *err)
{
    const tn_allocator *a = &tni_libc_allocator;
    const size_t n = tni_blocks_lanes(par), size = n * sizeof(lane);
    looking k = {look, a->alloc(a->ctx, size, _Alignof(lane))};
    if (k.lanes == NULL) return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        tni_mem_init(&k.lanes[i].mem, NULL, 0);
        tni_arena_init(&k.lanes[i].arena, &k.lanes[i].mem, 1 << 14);
    }
    const tni_blocks job = {look->n_items, ITEMS_OF_BLOCK, &k, work, take};
    const tn_status status = tni_blocks_run(&job, par, err);
    for (size_t i = 0; i < n; i++) tni_arena_fini(&k.lanes[i].arena);
    a->free(a->ctx, k.lanes, size, _Alignof(lane));
    return status;
}
