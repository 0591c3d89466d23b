/* SPDX-License-Identifier: Apache-2.0 */
/* webdataset_write.c - the dataset as shards of samples */
#include "data/formats/webdataset.h"

#include "tenon/image.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_IMAGES = 100000, /* of a shard, as webdataset.ShardWriter has it */
    MAX_KEY = 3900
};
static const uint64_t max_bytes = 3000000000u;

typedef struct wds {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_coco_writer *coco;
    tni_draft *draft;
    tni_strmap keys;
    tni_target t;
    tni_arena temp; /* of the sample at hand */
} wds;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* --- keys ------------------------------------------------------------------ */

/* The name without its ending and other dots, not used before in this split. */
static tn_status key_of(wds *s, uint32_t image, uint32_t split, char *key,
                        size_t size)
{
    const char *name = s->w->names[image];
    const char *slash = strrchr(name, '/');
    const size_t base = slash != NULL ? (size_t)(slash + 1 - name) : 0;
    const size_t stem =
        tni_is_image_name(name) ? tni_stem_len(name) : strlen(name);
    if (stem > MAX_KEY || stem + 32 > size)
        return tni_fail(s->err, TN_EINVAL, "the name '%.100s' is too long",
                        name);
    /* What begins so is passed over by readers, as remarks are. */
    const bool remark = strncmp(name, "__", 2) == 0;
    const int front = snprintf(key, size, "%s", remark ? "x" : "");
    memcpy(key + front, name, stem);
    key[(size_t)front + stem] = '\0';
    for (char *p = key + front + base; *p != '\0'; p++)
        if (*p == '.') *p = '_';
    const size_t len = strlen(key);
    for (unsigned k = 1;; k++) {
        char text[64];
        bool fresh = false;
        (void)snprintf(text, sizeof text, "%d/", (int)split);
        const size_t n = strlen(text) + strlen(key);
        char *unique = tni_arena_alloc(&s->w->arena, n + 1, 1);
        if (unique == NULL) return no_memory(s->err);
        (void)snprintf(unique, n + 1, "%s%s", text, key);
        if (tni_strmap_add(&s->keys, unique, n, &fresh) == NULL)
            return no_memory(s->err);
        if (fresh) return TN_OK;
        (void)snprintf(key + len, size - len, "_%u", k);
    }
}

/* "jpg": the name's, when it ends like an image, else what the bytes are. */
static void ending_of(const char *name, const tni_image_data *data, char *out,
                      size_t size)
{
    tn_image_info info = TN_IMAGE_INFO_INIT;
    const char *dot = strrchr(name, '.');
    const char *ending = dot != NULL ? dot + 1 : "";
    if (!tni_is_image_name(name)) {
        ending = "bin";
        if (data->size > 0 &&
            tn_image_probe(&info, NULL, data->bytes, data->size, 0,
                           TN_IMAGE_HEAD_ONLY, NULL) == TN_OK)
            ending = strcmp(info.format, "jpeg") == 0 ? "jpg" : info.format;
    }
    (void)snprintf(out, size, "%.20s", ending);
    for (char *p = out; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
}

/* --- members --------------------------------------------------------------- */

static tn_status into_target(void *ctx, const void *bytes, size_t size,
                             tn_err *err)
{
    tni_target *t = ctx;
    (void)err;
    tni_out_bytes(&t->out, bytes, size);
    return t->out.status;
}

static tn_status put(wds *s, const char *key, const char *ending,
                     const void *bytes, size_t size)
{
    char name[TNI_TAR_MAX_NAME + 64];
    const tni_byte_sink sink = {&s->t, into_target};
    (void)snprintf(name, sizeof name, "%s.%s", key, ending);
    return tni_tar_put(&sink, name, bytes, size, s->err);
}

static tn_status put_text(wds *s, const char *key, const char *ending)
{
    tni_span text = {NULL, 0};
    TN_TRY(tni_draft_end(s->draft, &text));
    return put(s, key, ending, text.p, text.len);
}

/* The only annotation of a kind on an image, TN_NONE for none or several. */
static uint32_t only(const wds *s, uint32_t image, bool caption)
{
    size_t n = 0;
    uint32_t found = TN_NONE;
    const uint32_t *list = tn_dataset_of_image(s->d, image, &n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t flags = *tni_flags_at(s->d, list[i]);
        const bool is =
            caption
                ? tni_sparse_find(&s->d->text[TN_TEXT_CAPTION], list[i], 0) !=
                      NULL
                : (flags & TN_IS_TAG) != 0 && (flags & TN_IS_NEGATIVE) == 0 &&
                      tni_ann_at(s->d, list[i])->class_index != TN_NONE;
        if (is && found != TN_NONE) return TN_NONE;
        if (is) found = list[i];
    }
    return found;
}

/* Trainers take the number of the class: its id, or its place in the list. */
static tn_status put_class(wds *s, const char *key, uint32_t ann)
{
    const uint32_t cls = tni_ann_at(s->d, ann)->class_index;
    const tni_class_row *row = tni_class_at(s->d, cls);
    tni_out_i64(tni_draft_begin(s->draft),
                row->id_kind == TN_ID_INT ? row->id : (int64_t)cls);
    return put_text(s, key, "cls");
}

static tn_status put_caption(wds *s, const char *key, uint32_t ann)
{
    const tni_span *text =
        tni_sparse_find(&s->d->text[TN_TEXT_CAPTION], ann, 0);
    const tni_span inner = {text->p + 1, text->len - 2};
    size_t len = 0;
    const tni_arena_mark mark = tni_arena_save(&s->w->arena);
    const char *plain = tni_json_unescape(&s->w->arena, inner, &len);
    const tn_status status =
        plain != NULL ? put(s, key, "txt", plain, len) : no_memory(s->err);
    tni_arena_rewind(&s->w->arena, mark);
    return status;
}

static tn_status put_json(wds *s, const char *key, uint32_t image)
{
    TN_TRY(tni_coco_put_sample(s->coco, image, tni_wds_is_member,
                               tni_draft_begin(s->draft)));
    return put_text(s, key, "json");
}

/* --- samples ----------------------------------------------------------------- */

enum { MAX_PART = 80 };

typedef enum source {
    OF_IMAGE,
    OF_CLASS,
    OF_JSON,
    OF_CAPTION,
    OF_FIELD,
    OF_FILE
} source;

/* A member of the sample to be written. */
typedef struct part {
    char ending[MAX_PART];
    source from;
    tni_span bytes; /* of a field, its value; of a file */
    uint32_t ann;   /* of a class or a caption */
} part;

typedef struct parts {
    part *list;
    size_t n;
    tni_strmap endings; /* to how many there were */
} parts;

/* Endings differ: another one of the kind is called so. */
static tn_status add_part(wds *s, parts *p, source from, tni_span ending,
                          tni_span bytes, uint32_t ann)
{
    part *to = &p->list[p->n++];
    const int len = ending.len < 60 ? (int)ending.len : 60;
    bool fresh = false;
    to->from = from;
    to->bytes = bytes;
    to->ann = ann;
    (void)snprintf(to->ending, MAX_PART, "%.*s", len, ending.p);
    void **first =
        tni_strmap_add(&p->endings, to->ending, strlen(to->ending), &fresh);
    while (first != NULL && !fresh) {
        const uintptr_t count = (uintptr_t)*first + 1;
        *first = (void *)count;
        (void)snprintf(to->ending, MAX_PART, "other%lu.%.*s",
                       (unsigned long)count, len, ending.p);
        if (tni_strmap_add(&p->endings, to->ending, strlen(to->ending),
                           &fresh) == NULL)
            return no_memory(s->err);
    }
    return first != NULL ? TN_OK : no_memory(s->err);
}

static int by_ending(const void *a, const void *b)
{
    return strcmp(((const part *)a)->ending, ((const part *)b)->ending);
}

/* What was a member when it was read. */
static tn_status add_others(wds *s, uint32_t image, parts *p)
{
    const tni_sparse *fields = &s->d->image_text[TN_TEXT_EXTRA];
    const tni_span *field = tni_sparse_find(fields, image, 0);
    for (uint32_t k = 1; field != NULL;
         field = tni_sparse_find(fields, image, k++)) {
        tni_span name, value;
        if (tni_wds_member(field, &name, &value))
            TN_TRY(add_part(s, p, OF_FIELD, name, value, TN_NONE));
    }
    const tni_sparse *files = &s->d->image_files;
    const tni_image_file *f = tni_sparse_find(files, image, 0);
    for (uint32_t k = 1; f != NULL; f = tni_sparse_find(files, image, k++))
        TN_TRY(
            add_part(s, p, OF_FILE, tni_span_of(f->ending), f->bytes, TN_NONE));
    return TN_OK;
}

/* In the order of the endings, as tar files sorted by name have them. */
static tn_status find_parts(wds *s, uint32_t image, const char *ending,
                            const tni_image_data *data, parts *p)
{
    const tni_span none = {NULL, 0};
    uint32_t n = 0, m = 0;
    while (tni_sparse_find(&s->d->image_text[TN_TEXT_EXTRA], image, n) != NULL)
        n++;
    while (tni_sparse_find(&s->d->image_files, image, m) != NULL) m++;
    p->n = 0;
    p->list = TNI_NEW_ARRAY(&s->temp, part, (size_t)n + m + 4);
    if (p->list == NULL) return no_memory(s->err);
    tni_strmap_init(&p->endings, &s->temp);
    const uint32_t tag = only(s, image, false), caption = only(s, image, true);
    if (data->size > 0)
        TN_TRY(add_part(s, p, OF_IMAGE, tni_span_of(ending), none, TN_NONE));
    TN_TRY(add_part(s, p, OF_JSON, tni_span_of("json"), none, TN_NONE));
    if (tag != TN_NONE)
        TN_TRY(add_part(s, p, OF_CLASS, tni_span_of("cls"), none, tag));
    if (caption != TN_NONE)
        TN_TRY(add_part(s, p, OF_CAPTION, tni_span_of("txt"), none, caption));
    TN_TRY(add_others(s, image, p));
    qsort(p->list, p->n, sizeof *p->list, by_ending);
    return TN_OK;
}

/* A JSON as it is, a text without its quotes. */
static tn_status put_field(wds *s, const char *key, const part *p)
{
    size_t len = 0;
    if (tni_wds_is_json(p->ending))
        return put(s, key, p->ending, p->bytes.p, p->bytes.len);
    const tni_span inner = {p->bytes.p + 1, p->bytes.len - 2};
    const char *plain = tni_json_unescape(&s->temp, inner, &len);
    if (plain == NULL) return no_memory(s->err);
    return put(s, key, p->ending, plain, len);
}

static tn_status put_part(wds *s, const char *key, uint32_t image,
                          const tni_image_data *data, const part *p)
{
    switch (p->from) {
    case OF_IMAGE: return put(s, key, p->ending, data->bytes, data->size);
    case OF_CLASS: return put_class(s, key, p->ann);
    case OF_JSON: return put_json(s, key, image);
    case OF_CAPTION: return put_caption(s, key, p->ann);
    case OF_FIELD: return put_field(s, key, p);
    default: return put(s, key, p->ending, p->bytes.p, p->bytes.len);
    }
}

static tn_status put_sample(wds *s, uint32_t image, uint32_t split)
{
    char key[TNI_TAR_MAX_NAME], ending[24];
    tni_image_data data;
    parts p;
    memset(&p, 0, sizeof p);
    TN_TRY(key_of(s, image, split, key, sizeof key));
    TN_TRY(tni_image_data_open(&data, s->w, image, s->err));
    ending_of(s->w->names[image], &data, ending, sizeof ending);
    tn_status status = find_parts(s, image, ending, &data, &p);
    for (size_t i = 0; i < p.n && status == TN_OK; i++)
        status = put_part(s, key, image, &data, &p.list[i]);
    tni_arena_reset(&s->temp);
    tni_image_data_close(&data);
    return status;
}

/* --- shards ---------------------------------------------------------------- */

/* "train", or "odd/data" for a split that a shard's name would not tell. */
static tn_status stem_of(const wds *s, uint32_t split, char *out, size_t size)
{
    char name[700];
    const char *word = NULL;
    const char *text = split != TN_NONE ? s->d->splits[split] : "data";
    const size_t n = strlen(text);
    const int shard = snprintf(name, sizeof name, "%s-000000.tar", text);
    const bool fits = shard > 0 && (size_t)shard < sizeof name;
    const bool told =
        fits && tni_wds_stem(name) == n && tni_stem_split(text, n, &word) == n;
    const int used = snprintf(out, size, "%s%s", text,
                              split != TN_NONE && !told ? "/data" : "");
    if (fits && used > 0 && (size_t)used < size) return TN_OK;
    return tni_fail(s->err, TN_EINVAL, "the name of a split is too long");
}

static tn_status open_shard(wds *s, const char *stem, uint32_t nth)
{
    char name[800];
    (void)snprintf(name, sizeof name, "%.700s-%06u.tar", stem, (unsigned)nth);
    return tni_target_open(&s->t, s->w, name, s->err);
}

static tn_status close_shard(wds *s, tn_status status)
{
    const tni_byte_sink sink = {&s->t, into_target};
    if (status == TN_OK) status = tni_tar_end(&sink, s->err);
    if (status != TN_OK && s->t.out.status == TN_OK) s->t.out.status = status;
    return tni_target_close(&s->t, s->err);
}

static tn_status write_split(wds *s, uint32_t split)
{
    char stem[720];
    tni_shards shards;
    uint32_t nth = 0;
    bool any = false;
    TN_TRY(stem_of(s, split, stem, sizeof stem));
    tni_shards_init(&shards, s->w, max_bytes, MAX_IMAGES);
    for (uint32_t i = 0; i < s->d->images.n && !any; i++)
        any = tni_in_split(s->d, i, split);
    if (!any && split == TN_NONE && s->d->n_splits > 0) return TN_OK;
    TN_TRY(open_shard(s, stem, 0));
    tn_status status = TN_OK;
    for (uint32_t i = 0; status == TN_OK && i < s->d->images.n; i++) {
        if (!tni_in_split(s->d, i, split)) continue;
        if (tni_shards_next(&shards, tni_image_size(s->w, i)) != nth) {
            TN_TRY(close_shard(s, TN_OK));
            nth = shards.nth;
            TN_TRY(open_shard(s, stem, nth));
        }
        status = put_sample(s, i, split);
        if (status == TN_OK)
            status =
                tni_writer_progress(s->w, "write", i, s->d->images.n, s->err);
    }
    return close_shard(s, status);
}

static tn_status write_rest(wds *s)
{
    TN_TRY(tni_target_open(&s->t, s->w, TNI_WDS_REST, s->err));
    const tn_status status = tni_coco_put_rest(s->coco, &s->t.out);
    if (status != TN_OK && s->t.out.status == TN_OK) s->t.out.status = status;
    return tni_target_close(&s->t, s->err);
}

static tn_status write_all(wds *s)
{
    TN_TRY(tni_check_splits(s->d, s->err));
    for (uint32_t i = 0; i < s->d->n_splits; i++) TN_TRY(write_split(s, i));
    TN_TRY(write_split(s, TN_NONE));
    return write_rest(s);
}

tn_status tni_wds_write(tni_writer *w, tn_err *err)
{
    tni_mem mem;
    wds *s = TNI_NEW(&w->arena, wds);
    if (s == NULL) return no_memory(err);
    s->w = w;
    s->d = w->d;
    s->err = err;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&s->temp, &mem, 1 << 12);
    tni_strmap_init(&s->keys, &w->arena);
    s->draft = tni_draft_new(&w->arena, err);
    s->coco = tni_coco_writer_new(w, err);
    const tn_status status =
        s->draft != NULL && s->coco != NULL ? write_all(s) : TN_ENOMEM;
    tni_coco_writer_free(s->coco);
    tni_arena_fini(&s->temp);
    return status;
}
