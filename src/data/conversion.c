/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conversion.c - plan, gate, write, read back, compare, put in place
 *
 * Everything is written beside the target under a temporary name. Only what
 * has been read back and found equal is renamed to the target, in one step.
 */
#include "data/formats/format.h"
#include "data/names.h"
#include "data/one.h"
#include "data/readback.h"
#include "data/records.h"
#include "data/residue.h"

#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 4096 };

struct tn_conversion {
    tni_mem mem;
    tni_arena arena;
    tn_convert_opts opts;
    const tni_format *format;
    const tn_dataset *d;
    const char *path;
    char temporary[PATH_SIZE];
    tni_writer w;
    uint64_t counts[TNI_F_COUNT];
    tn_loss losses[TNI_F_COUNT];
    size_t n_losses, n_renamed;
    tni_compared compared;
    bool verified;
    const char *residue;
    tni_threadpool *pool;
};

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

void tn_conversion_free(tn_conversion *c)
{
    if (c == NULL) return;
    tni_arena_fini(&c->w.arena);
    tni_arena_fini(&c->arena);
    tni_libc_allocator.free(NULL, c, sizeof *c, _Alignof(tn_conversion));
}

void tn_conversion_get_info(const tn_conversion *c, tn_conversion_info *info)
{
    tn_conversion_info row = TN_CONVERSION_INFO_INIT;
    row.format = c->format->name;
    row.variant = c->w.variant;
    row.n_losses = c->n_losses;
    row.n_files = c->w.n_files;
    row.n_images_written = c->w.n_images;
    row.bytes = c->w.bytes;
    row.n_renamed = c->n_renamed;
    row.verified = c->verified;
    row.max_corner_error = c->compared.max_error;
    row.n_compared = c->compared.n;
    row.residue = c->residue;
    row.struct_size = info->struct_size;
    memcpy(info, &row,
           info->struct_size < sizeof row ? info->struct_size : sizeof row);
}

tn_status tn_conversion_loss(const tn_conversion *c, size_t i, tn_loss *loss)
{
    if (i >= c->n_losses) return TN_EINVAL;
    tn_loss row = c->losses[i];
    row.struct_size = loss->struct_size;
    memcpy(loss, &row,
           loss->struct_size < sizeof row ? loss->struct_size : sizeof row);
    return TN_OK;
}

/* --- plan and gate ------------------------------------------------------- */

/* Whether `code` is among the codes with commas. */
static bool listed(const char *list, const char *code)
{
    const size_t n = strlen(code);
    for (const char *p = list; p != NULL && *p != '\0';) {
        const size_t len = strcspn(p, ",");
        if (len == n && memcmp(p, code, n) == 0) return true;
        p += len + (p[len] == ',' ? 1 : 0);
    }
    return false;
}

static tn_status check_codes(const char *list, tn_err *err)
{
    for (const char *p = list; p != NULL && *p != '\0';) {
        const size_t len = strcspn(p, ",");
        bool known = len == 3 && memcmp(p, "all", 3) == 0;
        for (int i = 0; i < TNI_F_COUNT && !known; i++)
            known = strlen(tni_features[i].code) == len &&
                    memcmp(tni_features[i].code, p, len) == 0;
        if (!known)
            return tni_fail(err, TN_EINVAL,
                            "no loss is called '%.*s'; a dry run lists those "
                            "of this dataset",
                            len > 60 ? 60 : (int)len, p);
        p += len + (p[len] == ',' ? 1 : 0);
    }
    return TN_OK;
}

static bool is_one_file(const tni_format *f, const char *path)
{
    return (f->flags & TNI_FORMAT_ONE_FILE) != 0 && f->files[0] == '*' &&
           tni_ends_with(path, f->files + 1);
}

/* Without a list of classes those that nothing has are lost, and the numbers of
 * the others become their rank. */
static tn_status count_classes(tn_conversion *c, tn_err *err)
{
    const tn_dataset *d = c->d;
    uint8_t *used = TNI_NEW_ARRAY(&c->arena, uint8_t, d->classes.n + 1u);
    if (used == NULL) return no_memory(err);
    for (uint32_t i = 0; i < d->anns.n; i++) {
        const uint32_t cls = tni_ann_at(d, i)->class_index;
        if (cls != TN_NONE) used[cls] = 1;
    }
    const bool folders = (c->w.keeps & TNI_KEEPS(UNUSED)) != 0;
    const char *last = NULL;
    bool same = true, sorted = true;
    uint64_t n_ids = 0;
    for (uint32_t i = 0; i < d->classes.n; i++) {
        const tni_class_row *row = tni_class_at(d, i);
        if (row->id_kind == TN_ID_INT) n_ids++;
        if (used[i] == 0) c->counts[TNI_F_UNUSED]++;
        if (used[i] == 0 && !folders) {
            same = false;
            continue;
        }
        sorted = sorted && (last == NULL || strcmp(last, row->name) < 0);
        last = row->name;
    }
    same = same && sorted;
    if (!sorted) c->counts[TNI_F_CLASS_ORDER] = d->classes.n;
    if (!same && n_ids > c->counts[TNI_F_CLASS_ID])
        c->counts[TNI_F_CLASS_ID] = n_ids;
    return TN_OK;
}

static tn_status name_images(tn_conversion *c, tn_err *err)
{
    const tni_format *f = c->format;
    tni_names_rule rule;
    rule.stems = (f->flags & TNI_FORMAT_STEMS) != 0;
    /* Where there are no splits their images lie side by side. */
    const bool inside = (f->flags & TNI_FORMAT_FILE_SPLITS) != 0;
    rule.merged = (c->w.file != NULL && !inside) ||
                  (c->w.keeps & TNI_KEEPS(SPLIT)) == 0 ||
                  (f->flags & TNI_FORMAT_ONE_SPACE) != 0;
    rule.files = c->w.file == NULL;
    rule.endings = (f->flags & TNI_FORMAT_ENDINGS) != 0;
    TN_TRY(tni_names_make(&c->w.names, &c->n_renamed, c->d, &rule, &c->arena,
                          err));
    if (f->rename == NULL) return TN_OK;
    TN_TRY(f->rename(c->d, c->w.names, &c->arena, err));
    c->n_renamed = 0;
    for (uint32_t i = 0; i < c->d->images.n; i++)
        if (strcmp(c->w.names[i], tni_image_at(c->d, i)->name) != 0)
            c->n_renamed++;
    return TN_OK;
}

/* Whether the one file to be written tells the split of every image: by its
 * name, and when there is one split only. */
static bool keeps_split(const tn_conversion *c)
{
    const tn_dataset *d = c->d;
    if (d->n_splits == 0) return true;
    if ((c->format->flags & TNI_FORMAT_FILE_SPLITS) != 0) return true;
    return d->n_splits == 1 && c->counts[TNI_F_SPLIT] == d->images.n &&
           c->format->names_split != NULL &&
           c->format->names_split(c->w.file, d->splits[0]);
}

/* Whether splits have fields of the same name. */
static tn_status find_repeated(bool *repeat, const tn_dataset *d, tn_err *err)
{
    tni_once keys;
    tni_once_init(&keys);
    *repeat = false;
    for (uint32_t i = 0; !*repeat && i < d->metas.n; i++) {
        const char *key = TNI_ROW(&d->metas, tni_meta, i)->key;
        *repeat = tni_once_again(&keys, key, strlen(key));
    }
    tni_once_fini(&keys);
    return keys.failed ? no_memory(err) : TN_OK;
}

static tn_status plan(tn_conversion *c, tn_err *err)
{
    const tni_format *f = c->format;
    tni_writer *w = &c->w;
    const tni_features_of of = {(f->flags & TNI_FORMAT_UNITS) != 0,
                                (f->flags & TNI_FORMAT_INSIDE) != 0};
    TN_TRY(tni_features_count(c->d, &of, c->w.par, c->counts, err));
    w->keeps = f->keeps;
    if (f->plan != NULL) w->keeps = f->plan(c->d, c->counts, &w->variant);
    const int seen = is_one_file(f, c->path) ? TNI_FORMAT_FILE_SEEN : 0;
    const bool lists =
        (f->flags & (uint32_t)(TNI_FORMAT_SEEN_CLASSES | seen)) == 0;
    if (!lists) TN_TRY(count_classes(c, err));
    if (is_one_file(f, c->path)) {
        const char *slash = strrchr(c->path, '/');
        w->file = slash != NULL ? slash + 1 : c->path;
        if (f->plan_file != NULL)
            w->keeps = f->plan_file(c->d, &w->variant, w->keeps);
        if (!keeps_split(c)) w->keeps &= ~TNI_KEEPS(SPLIT);
    }
    if ((f->flags & TNI_FORMAT_SPLIT_FIELDS) == 0 || w->file != NULL) {
        bool repeat = false;
        TN_TRY(find_repeated(&repeat, c->d, err));
        if (repeat) w->keeps &= ~TNI_KEEPS(META);
    }
    if (lists) w->keeps |= TNI_KEEPS(UNUSED);
    /* Who keeps no outline writes the box itself. */
    if ((w->keeps & TNI_KEEPS(POLYGON)) == 0) c->counts[TNI_F_OUTLINE_BOX] = 0;
    /* Of these the target lacks what was counted, and else nothing. */
    static const tni_feature by_count[] = {TNI_F_CLASS_ORDER, TNI_F_OUTSIDE,
                                           TNI_F_OUTSIDE_BOX, TNI_F_OUTLINE_BOX,
                                           TNI_F_MASK_OVERLAP};
    for (size_t i = 0; i < sizeof by_count / sizeof by_count[0]; i++)
        if (c->counts[by_count[i]] == 0) w->keeps |= UINT64_C(1) << by_count[i];
    TN_TRY(name_images(c, err));
    c->counts[TNI_F_NAME] = c->n_renamed;
    for (int i = 0; i < TNI_F_COUNT; i++) {
        if (c->counts[i] == 0 || (w->keeps >> i & 1) != 0) continue;
        tn_loss *l = &c->losses[c->n_losses++];
        l->struct_size = sizeof *l;
        l->code = tni_features[i].code;
        l->message = tni_features[i].what;
        l->count = c->counts[i];
        l->allowed = listed(c->opts.allow_loss, l->code) ||
                     listed(c->opts.allow_loss, "all");
    }
    return TN_OK;
}

static tn_status gate(const tn_conversion *c, tn_err *err)
{
    char text[200] = "";
    size_t used = 0, n = 0;
    for (size_t i = 0; i < c->n_losses; i++) {
        const tn_loss *l = &c->losses[i];
        if (l->allowed != 0) continue;
        const int k =
            snprintf(text + used, sizeof text - used, "%s%llu %s",
                     n > 0 ? ", " : "", (unsigned long long)l->count, l->code);
        if (k > 0 && used + (size_t)k < sizeof text) used += (size_t)k;
        n++;
    }
    if (n == 0) return TN_OK;
    text[used] = '\0';
    return tni_fail(err, TN_EUNSUPPORTED,
                    "%s cannot hold everything: %s; allow it by code "
                    "(--allow-loss), or choose another format",
                    c->format->name, text);
}

/* --- the target ---------------------------------------------------------- */

static tn_status check_target(const tn_conversion *c, tn_err *err)
{
    const tni_path_info look = tni_path_look(c->path);
    if (!look.exists || (c->opts.flags & TN_CONVERT_OVERWRITE) != 0)
        return TN_OK;
    if (look.is_dir) {
        tni_mem mem;
        tni_arena arena;
        tni_dir_entry *list = NULL;
        size_t n = 0;
        tni_mem_init(&mem, NULL, 0);
        tni_arena_init(&arena, &mem, 4096);
        const tn_status status = tni_dir_list(&list, &n, c->path, &arena, err);
        tni_arena_fini(&arena);
        TN_TRY(status);
        if (n == 0) return TN_OK;
    }
    tni_err_where(err, "%s", c->path);
    return tni_fail(err, TN_EBUSY,
                    "it exists already; name another target, or allow "
                    "replacing it (--overwrite)");
}

/* A source that lies in what would be replaced must not be. */
static bool holds_source(const tn_conversion *c)
{
    const tni_path_info to = tni_path_look(c->path);
    const tni_path_info from = tni_path_look(c->d->path);
    const size_t n = strlen(c->path);
    return (to.exists && to.device == from.device && to.inode == from.inode) ||
           (strncmp(c->d->path, c->path, n) == 0 && c->d->path[n] == '/');
}

static tn_status read_back(tn_conversion *c, tn_dataset **back, tn_err *err)
{
    char path[PATH_SIZE + 512];
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.format = c->format->name;
    o.variant = c->w.variant;
    o.n_threads = c->opts.n_threads;
    o.flags = TN_DATASET_NO_RESIDUE;
    /* Sizes come from the source's rows, headers need not be read twice. */
    o.flags |= TN_DATASET_NO_HEADERS;
    (void)snprintf(path, sizeof path, "%s%s%s", c->temporary,
                   c->w.file != NULL ? "/" : "",
                   c->w.file != NULL ? c->w.file : "");
    tn_status status = tni_dataset_read(back, path, &o, true, err);
    if (status == TN_OK || status == TN_ENOMEM || status == TN_ECANCELED)
        return status;
    if (err != NULL) err->code = TN_EINTERNAL;
    return TN_EINTERNAL;
}

static void lend_size(const tn_conversion *c, uint32_t image, tn_dataset *back,
                      uint32_t row)
{
    double w = 0.0, h = 0.0;
    if (row == TN_NONE || !tni_image_extent(c->d, image, &w, &h)) return;
    tni_image_row *r = tni_image_at(back, row);
    if (r->width > 0 && r->height > 0) return;
    r->width = (int32_t)w;
    r->height = (int32_t)h;
}

/* What was written may be relative to sizes that only the source knows. */
static void lend_sizes(const tn_conversion *c, tn_dataset *back,
                       const tni_matches *m)
{
    for (uint32_t i = 0; i < c->d->images.n; i++)
        lend_size(c, i, back, m->first[i]);
    for (size_t i = 0; i < m->n_copies; i++)
        lend_size(c, m->copies[i].image, back, m->copies[i].back);
}

/* Results have no images of their own: they are counted. */
static tn_status compare_results(tn_conversion *c, const tn_dataset *back,
                                 tn_err *err)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < c->d->anns.n; i++) n += c->w.written[i] != 0;
    c->compared.n = n;
    if (n == back->anns.n) return TN_OK;
    return tni_fail(err, TN_EINTERNAL,
                    "%llu results were written, %u read back; please report "
                    "this",
                    (unsigned long long)n, (unsigned)back->anns.n);
}

static tn_status open_residue(tn_conversion *c, const tn_dataset *back,
                              const uint32_t *matches, tni_residue **out,
                              tn_err *err)
{
    char file[PATH_SIZE + 600];
    const char *path = tni_residue_path(&c->arena, c->temporary, false);
    c->residue = tni_residue_path(&c->arena, c->path, c->w.file != NULL);
    if (path == NULL || c->residue == NULL) return no_memory(err);
    if (c->w.file != NULL) {
        (void)snprintf(file, sizeof file, "%s/%s.residue.ndjson", c->temporary,
                       c->w.file);
        path = file;
    }
    return tni_residue_open(out, &c->w, back, matches, path,
                            tni_blocks_lanes(c->w.par), err);
}

static tn_status compare(tn_conversion *c, tn_dataset *back, bool keep,
                         tn_err *err)
{
    tni_residue *residue = NULL;
    tni_matches matches;
    TN_TRY(tni_match_images(&matches, &c->w, back, &c->arena, err));
    lend_sizes(c, back, &matches);
    if (keep) TN_TRY(open_residue(c, back, matches.first, &residue, err));
    const tn_status status = tni_compare(&c->w, c->format, back, &matches,
                                         residue, &c->compared, err);
    return keep ? tni_residue_close(residue, status, err) : status;
}

static tn_status verify(tn_conversion *c, tn_err *err)
{
    const bool results =
        c->w.variant != NULL && strcmp(c->w.variant, "results") == 0;
    const bool wanted = (c->opts.flags & TN_CONVERT_NO_VERIFY) == 0;
    const bool keep = (c->opts.flags & TN_CONVERT_NO_RESIDUE) == 0 &&
                      c->n_losses > 0 && !results;
    if (!wanted && !keep) return TN_OK;
    TN_TRY(tni_writer_progress(&c->w, "verify", 0, 1, err));
    tn_dataset *back = NULL;
    tni_dataset_drop(c->d);
    TN_TRY(read_back(c, &back, err));
    const tn_status status =
        results ? compare_results(c, back, err) : compare(c, back, keep, err);
    c->verified = status == TN_OK;
    tn_dataset_close(back);
    return status;
}

/* Renames over what may be there; what was there is gone only then. */
static tn_status put_one(const char *from, const char *to, tn_err *err)
{
    char aside[PATH_SIZE];
    const tni_path_info look = tni_path_look(to);
    if (!look.exists || !look.is_dir) return tni_path_rename(from, to, err);
    TN_TRY(tni_dir_make_temporary(aside, sizeof aside, to, err));
    TN_TRY(tni_path_rename(to, aside, err));
    const tn_status status = tni_path_rename(from, to, err);
    if (status != TN_OK) {
        (void)!tni_path_rename(aside, to, NULL);
        return status;
    }
    return tni_path_remove(aside, err);
}

static tn_status put_in_place(tn_conversion *c, tn_err *err)
{
    char from[PATH_SIZE + 600];
    if (c->w.file == NULL) return put_one(c->temporary, c->path, err);
    if (c->residue != NULL) {
        (void)snprintf(from, sizeof from, "%s/%s.residue.ndjson", c->temporary,
                       c->w.file);
        TN_TRY(put_one(from, c->residue, err));
    }
    (void)snprintf(from, sizeof from, "%s/%s", c->temporary, c->w.file);
    TN_TRY(put_one(from, c->path, err));
    return tni_path_remove(c->temporary, err);
}

static tn_status write_all(tn_conversion *c, tn_err *err)
{
    tni_writer *w = &c->w;
    TN_TRY(tni_dir_make_for(c->path, err));
    TN_TRY(tni_dir_make_temporary(c->temporary, sizeof c->temporary, c->path,
                                  err));
    w->folder = c->temporary;
    w->written = tni_arena_zalloc(&c->arena, c->d->anns.n + (size_t)1, 1);
    if (w->written == NULL) return no_memory(err);
    w->files = w->file != NULL ? TN_FILES_NONE : c->opts.images;
    TN_TRY(c->format->write(w, err));
    TN_TRY(tni_rank_images(w, err));
    TN_TRY(verify(c, err));
    return put_in_place(c, err);
}

/* --- the whole ----------------------------------------------------------- */

static tn_status convert(tn_conversion *c, tn_err *err)
{
    TN_TRY(check_codes(c->opts.allow_loss, err));
    TN_TRY(tni_check_variant(c->format, c->w.variant, err));
    TN_TRY(plan(c, err));
    if ((c->opts.flags & TN_CONVERT_DRY_RUN) != 0) return TN_OK;
    TN_TRY(gate(c, err));
    if (holds_source(c)) {
        tni_err_where(err, "%s", c->path);
        return tni_fail(err, TN_EINVAL,
                        "the target holds the source, which is never changed; "
                        "name another target");
    }
    TN_TRY(check_target(c, err));
    const tn_status status = write_all(c, err);
    if (status != TN_OK && c->temporary[0] != '\0')
        (void)!tni_path_remove(c->temporary, NULL);
    return status;
}

tn_status tn_dataset_convert(tn_conversion **out, const tn_dataset *d,
                             const char *path, const tn_convert_opts *opts,
                             tn_err *err)
{
    static const tn_convert_opts defaults = TN_CONVERT_OPTS_INIT;
    *out = NULL;
    if (opts == NULL || opts->format == NULL || path == NULL || path[0] == '\0')
        return tni_fail(err, TN_EINVAL, "no target format, or no target");
    const tni_format *f = tni_format_find(opts->format);
    if (f == NULL)
        return tni_fail(err, TN_EINVAL,
                        "no format is called '%.40s'; 'tenon list formats' "
                        "lists them",
                        opts->format);
    if (f->write == NULL)
        return tni_fail(err, TN_EINVAL, "format '%s' can only be read",
                        f->name);
    tn_conversion *c =
        tni_libc_allocator.alloc(NULL, sizeof *c, _Alignof(tn_conversion));
    if (c == NULL) return no_memory(err);
    memset(c, 0, sizeof *c);
    c->opts = defaults;
    memcpy(&c->opts, opts,
           opts->struct_size < sizeof c->opts ? opts->struct_size
                                              : sizeof c->opts);
    tni_mem_init(&c->mem, NULL, 0);
    tni_arena_init(&c->arena, &c->mem, 1 << 14);
    tni_arena_init(&c->w.arena, &c->mem, 1 << 14);
    c->format = f;
    c->d = d;
    c->w.d = d;
    c->w.variant = c->opts.variant;
    c->w.shard_bytes = c->opts.shard_bytes;
    c->w.shard_images = c->opts.shard_images;
    c->w.progress = c->opts.progress;
    c->w.progress_ctx = c->opts.progress_ctx;
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') len--;
    c->path = tni_arena_strndup(&c->arena, path, len);
    tn_status status = c->path != NULL ? TN_OK : no_memory(err);
    if (status == TN_OK)
        status = tni_blocks_threads(&c->pool, c->opts.n_threads, d->images.n,
                                    &c->mem, err);
    c->w.par = tni_blocks_par(c->pool);
    if (status == TN_OK) status = convert(c, err);
    tni_threadpool_free(c->pool);
    c->pool = NULL;
    c->w.par = NULL;
    *out = c;
    return status;
}
