/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - what formats write with: files of the target, images */
#include "data/blocks.h"
#include "data/formats/format.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_SIZE = 4096 };

static tn_status path_in(char *path, size_t size, const tni_writer *w,
                         const char *name, tn_err *err)
{
    /* Names of splits and classes are a dataset's too. */
    for (const char *p = name; *p != '\0';) {
        const size_t len = strcspn(p, "/");
        if (len == 2 && p[0] == '.' && p[1] == '.')
            return tni_fail(err, TN_EINVAL,
                            "'%.100s' would be written outside the target",
                            name);
        p += len + (p[len] == '/' ? 1 : 0);
    }
    const int n = snprintf(path, size, "%s/%s", w->folder, name);
    if (n > 0 && (size_t)n < size) return TN_OK;
    return tni_fail(err, TN_EINVAL, "the path of '%.100s' is too long", name);
}

static tn_status sink(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    tni_target *t = ctx;
    t->w->bytes += size;
    return tni_file_out_write(t->file, bytes, size, err);
}

tn_status tni_target_open(tni_target *t, tni_writer *w, const char *name,
                          tn_err *err)
{
    char path[PATH_SIZE];
    TN_TRY(path_in(path, sizeof path, w, name, err));
    t->w = w;
    tn_status status = tni_file_out_open_new(&t->file, path, NULL);
    if (status == TN_ENOTFOUND) {
        TN_TRY(tni_dir_make_for(path, err));
        status = TN_EIO;
    }
    if (status != TN_OK) TN_TRY(tni_file_out_open_new(&t->file, path, err));
    tni_out_init(&t->out, sink, t, err);
    return TN_OK;
}

tn_status tni_target_close(tni_target *t, tn_err *err)
{
    const tn_status status = tni_out_flush(&t->out);
    if (status != TN_OK) {
        tni_file_out_abort(t->file);
        return status;
    }
    t->w->n_files++;
    return tni_file_out_commit(t->file, err);
}

static tn_status write_bytes(const char *path, const tni_span *bytes,
                             tn_err *err)
{
    tni_file_out *f = NULL;
    TN_TRY(tni_file_out_open(&f, path, err));
    const tn_status status = tni_file_out_write(f, bytes->p, bytes->len, err);
    if (status == TN_OK) return tni_file_out_commit(f, err);
    tni_file_out_abort(f);
    return status;
}

tn_status tni_write_image(tni_writer *w, uint32_t image, const char *to,
                          tn_err *err)
{
    char path[PATH_SIZE];
    const tni_image_row *r = tni_image_at(w->d, image);
    const tni_span *bytes = tni_image_bytes(w->d, image);
    if (w->files == TN_FILES_NONE || !tni_image_there(w->d, image))
        return TN_OK;
    TN_TRY(path_in(path, sizeof path, w, to, err));
    TN_TRY(tni_dir_make_for(path, err));
    w->n_images++;
    if (bytes != NULL) return write_bytes(path, bytes, err);
    return w->files == TN_FILES_COPY ? tni_file_copy(r->file, path, err)
                                     : tni_file_link(r->file, path, err);
}

/* --- a file for each image, by several threads --------------------------- */

enum { IMAGES_OF_BLOCK = 64 };

typedef struct lane {
    tni_mem mem;
    tni_writer w;
    void *state;
} lane;

typedef struct image_lanes {
    tni_writer *w;
    const tni_image_loop *loop;
    lane *lanes;
    size_t n;
} image_lanes;

static void lanes_fini(image_lanes *s)
{
    const tn_allocator *a = &tni_libc_allocator;
    for (size_t i = 0; i < s->n; i++) {
        lane *l = &s->lanes[i];
        if (l->state == NULL) continue;
        if (s->loop->fini != NULL) s->loop->fini(l->state);
        a->free(a->ctx, l->state, s->loop->size, _Alignof(max_align_t));
        tni_arena_fini(&l->w.arena);
        s->w->n_files += l->w.n_files;
        s->w->n_images += l->w.n_images;
        s->w->bytes += l->w.bytes;
    }
    a->free(a->ctx, s->lanes, s->n * sizeof(lane), _Alignof(lane));
}

static tn_status lanes_init(image_lanes *s, tn_err *err)
{
    const tn_allocator *a = &tni_libc_allocator;
    s->lanes = a->alloc(a->ctx, s->n * sizeof(lane), _Alignof(lane));
    if (s->lanes == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(s->lanes, 0, s->n * sizeof(lane));
    for (size_t i = 0; i < s->n; i++) {
        lane *l = &s->lanes[i];
        l->state = a->alloc(a->ctx, s->loop->size, _Alignof(max_align_t));
        if (l->state == NULL) {
            lanes_fini(s);
            return tni_fail(err, TN_ENOMEM, "out of memory");
        }
        memcpy(l->state, s->loop->state, s->loop->size);
        l->w = *s->w;
        l->w.n_files = l->w.n_images = l->w.bytes = 0;
        l->w.par = NULL;
        l->w.progress = NULL;
        tni_mem_init(&l->mem, NULL, 0);
        tni_arena_init(&l->w.arena, &l->mem, 1 << 14);
    }
    return TN_OK;
}

static tn_status put_block(void *ctx, tni_block *b)
{
    const image_lanes *s = ctx;
    lane *l = &s->lanes[b->lane];
    for (uint32_t i = b->begin; i < b->end; i++) {
        tni_dataset_ahead(l->w.d, i + 1);
        TN_TRY(s->loop->put(l->state, &l->w, i, &b->err));
    }
    return TN_OK;
}

static tn_status block_done(void *ctx, const tni_block *b, tn_err *err)
{
    const image_lanes *s = ctx;
    return tni_writer_progress(s->w, "write", b->end, s->w->d->images.n, err);
}

tn_status tni_write_images(tni_writer *w, const tni_image_loop *loop,
                           tn_err *err)
{
    image_lanes s = {w, loop, NULL, tni_blocks_lanes(w->par)};
    TN_TRY(lanes_init(&s, err));
    const tni_blocks job = {w->d->images.n, IMAGES_OF_BLOCK, &s, put_block,
                            block_done};
    const tn_status status = tni_blocks_run(&job, w->par, err);
    lanes_fini(&s);
    return status;
}

/* --- ranks --------------------------------------------------------------- */

typedef struct ranked {
    uint32_t rank, ann;
} ranked;

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->ann < y->ann ? -1 : x->ann > y->ann;
}

tn_status tni_rank_images(tni_writer *w, tn_err *err)
{
    const uint32_t n = w->d->anns.n;
    if (w->rank == NULL) return TN_OK;
    ranked *order = TNI_NEW_ARRAY(&w->arena, ranked, (size_t)n + 1);
    if (order == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < w->d->images.n; i++) {
        size_t all = 0, found = 0;
        const uint32_t *list = tn_dataset_of_image(w->d, i, &all);
        for (size_t k = 0; k < all; k++) {
            if (w->written[list[k]] == 0) continue;
            order[found].ann = list[k];
            order[found++].rank = w->rank[list[k]];
        }
        qsort(order, found, sizeof *order, by_rank);
        for (size_t k = 0; k < found; k++) w->rank[order[k].ann] = (uint32_t)k;
    }
    return TN_OK;
}

tn_status tni_image_data_open(tni_image_data *data, tni_writer *w,
                              uint32_t image, tn_err *err)
{
    memset(data, 0, sizeof *data);
    const tni_span *inside = tni_image_bytes(w->d, image);
    const char *file = tni_image_at(w->d, image)->file;
    if (w->files == TN_FILES_NONE) return TN_OK;
    if (inside != NULL) {
        data->bytes = (const uint8_t *)inside->p;
        data->size = inside->len;
    } else if (file != NULL) {
        TN_TRY(tni_file_map_open(&data->map, file, w->d->limits.max_file_bytes,
                                 err));
        data->bytes = data->map.bytes;
        data->size = data->map.size;
    }
    if (data->size > 0) w->n_images++;
    return TN_OK;
}

void tni_image_data_close(tni_image_data *data)
{
    tni_file_map_close(&data->map);
}

uint64_t tni_image_size(const tni_writer *w, uint32_t image)
{
    const tni_span *inside = tni_image_bytes(w->d, image);
    const char *file = tni_image_at(w->d, image)->file;
    if (w->files == TN_FILES_NONE) return 0;
    if (inside != NULL) return inside->len;
    return file != NULL ? tni_path_look(file).size : 0;
}

void tni_shards_init(tni_shards *s, const tni_writer *w, uint64_t max_bytes,
                     uint64_t max_images)
{
    memset(s, 0, sizeof *s);
    s->max_bytes = w->shard_bytes > 0 ? w->shard_bytes : max_bytes;
    s->max_images = w->shard_images > 0 ? w->shard_images : max_images;
}

uint32_t tni_shards_next(tni_shards *s, uint64_t size)
{
    const bool full = (s->max_images > 0 && s->images >= s->max_images) ||
                      (s->max_bytes > 0 && (s->bytes > s->max_bytes ||
                                            size > s->max_bytes - s->bytes));
    if (full && s->images > 0) {
        s->nth++;
        s->images = s->bytes = 0;
    }
    s->images++;
    s->bytes += size;
    return s->nth;
}

uint32_t tni_first_split(const tni_image_row *image)
{
    if (image->splits == 0) return TN_NONE;
    return (uint32_t)__builtin_ctzll(image->splits);
}

tn_status tni_writer_progress(tni_writer *w, const char *stage, uint64_t done,
                              uint64_t total, tn_err *err)
{
    if (w->progress != NULL &&
        w->progress(w->progress_ctx, stage, done, total) != 0)
        return tni_fail(err, TN_ECANCELED, "canceled by the caller");
    return TN_OK;
}
