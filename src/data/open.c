/* SPDX-License-Identifier: Apache-2.0 */
/* open.c - which format a dataset has, and reading it */
#include "data/formats/format.h"

#include "data/gzip.h"
#include "data/one.h"
#include "data/residue.h"
#include "tenon/image.h"

#include <stdio.h>
#include <string.h>

enum { HEAD_BYTES = 64 << 10, PATH_SIZE = 4096, SURE = 50, LARGE = 16 << 20 };
enum { HEAD_DEPTH = 64, PACKED_DEPTH = 2 }; /* folder/annotations/x.json.gz */

static const tni_format *const formats[] = {
#define TN_FORMAT(name) &tni_format_##name,
#include "data/formats/formats.def"
#undef TN_FORMAT
};
enum { N_FORMATS = (int)(sizeof formats / sizeof formats[0]) };

const tni_format *const *tni_formats(int *n)
{
    *n = N_FORMATS;
    return formats;
}

const tni_format *tni_format_find(const char *name)
{
    for (int i = 0; i < N_FORMATS; i++)
        if (strcmp(formats[i]->name, name) == 0) return formats[i];
    return NULL;
}

/* --- for formats --------------------------------------------------------- */

bool tni_ends_with(const char *name, const char *suffix)
{
    const size_t n = strlen(name), m = strlen(suffix);
    if (m > n) return false;
    for (size_t i = 0; i < m; i++) {
        char a = name[n - m + i], b = suffix[i];
        if (a >= 'A' && a <= 'Z') a = (char)(a + 32);
        if (b >= 'A' && b <= 'Z') b = (char)(b + 32);
        if (a != b) return false;
    }
    return true;
}

bool tni_is_image_name(const char *name)
{
    static const char *const ends[] = {
        ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif",  ".tiff",
        ".gif", ".jfif", ".dng", ".mpo",  ".pfm", ".heic", ".avif"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (tni_ends_with(name, ends[i])) return true;
    return false;
}

bool tni_probe_has(const tni_probe *p, const char *name)
{
    for (size_t i = 0; i < p->n_entries; i++)
        if (strcmp(p->entries[i].name, name) == 0) return true;
    return false;
}

bool tni_has_text(tni_span bytes, const char *text)
{
    const size_t n = strlen(text);
    const char *end = bytes.p + bytes.len;
    for (const char *p = bytes.p; (size_t)(end - p) >= n && n > 0; p++) {
        p = memchr(p, text[0], (size_t)(end - p) - n + 1);
        if (p == NULL) return false;
        if (memcmp(p, text, n) == 0) return true;
    }
    return false;
}

bool tni_head_has(tni_span head, const char *name)
{
    tni_json j;
    tni_span key;
    if (!tni_has_text(head, name)) return false; /* most often */
    if (head.len >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0) {
        head.p += 3;
        head.len -= 3;
    }
    tni_json_init(&j, head.p, head.len, HEAD_DEPTH, NULL);
    if (!tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key)) {
        if (tni_span_is(key, name)) return true;
        if (!tni_json_skip(&j, NULL)) break; /* the bytes end in it */
    }
    return false;
}

tni_span tni_probe_head(const tni_probe *p, const char *path)
{
    tni_span head = {"", 0};
    tni_file_map map;
    const tn_dataset *d = p->r->d;
    if (path != NULL && !p->is_dir && p->path != NULL &&
        strcmp(path, p->path) == 0)
        return p->head; /* unpacked, when it has to be */
    const bool packed =
        path != NULL && d->unpacked != NULL && strcmp(path, d->unpacked) == 0;
    if (packed) path = d->path;
    if (path == NULL || !tni_path_look(path).is_file ||
        tni_file_map_open(&map, path, 0, NULL) != TN_OK)
        return head;
    size_t n = map.size < HEAD_BYTES && !packed ? map.size : HEAD_BYTES;
    char *copy = n > 0 ? tni_arena_alloc(&p->r->scratch, n + 1, 1) : NULL;
    if (copy != NULL && packed)
        n = tni_gunzip_head(copy, n, map.bytes, map.size);
    else if (copy != NULL)
        memcpy(copy, map.bytes, n);
    if (copy != NULL) {
        copy[n] = '\0';
        head.p = copy;
        head.len = n;
    }
    tni_file_map_close(&map);
    return head;
}

enum { HELD_DEPTH = 3, HELD_FOLDERS = 8 };

static void look_into(tni_held *held, const tni_probe *p, const char *folder,
                      int depth)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    int folders = HELD_FOLDERS;
    if (folder == NULL || tni_list(p->r, folder, &e, &n, NULL) != TN_OK) return;
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || e[i].name[0] == '.') continue;
        const bool text = tni_ends_with(e[i].name, ".txt");
        held->images = held->images || tni_is_image_name(e[i].name);
        held->others = held->others || (!text && !tni_is_image_name(e[i].name));
        held->texts = held->texts || text;
        if (!text || held->text != NULL) continue;
        const char *path = tni_join(p->r, folder, e[i].name);
        if (path != NULL && tni_path_look(path).size > 0) held->text = path;
    }
    for (size_t i = 0; i < n && depth > 1 && folders > 0; i++) {
        if (!e[i].is_dir || e[i].name[0] == '.') continue;
        folders--;
        look_into(held, p, tni_join(p->r, folder, e[i].name), depth - 1);
    }
}

void tni_probe_held(tni_held *held, const tni_probe *p, const char *folder)
{
    memset(held, 0, sizeof *held);
    look_into(held, p, folder, HELD_DEPTH);
}

tn_status tni_list(tni_reader *r, const char *folder,
                   const tni_dir_entry **entries, size_t *n, tn_err *err)
{
    tni_dir_entry *list = NULL;
    *entries = NULL;
    *n = 0;
    if (folder == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    if (!tni_path_look(folder).is_dir) return TN_OK;
    TN_TRY(tni_dir_list(&list, n, folder, &r->scratch, err));
    *entries = list;
    return TN_OK;
}

char *tni_join(tni_reader *r, const char *folder, const char *name)
{
    const size_t n = strlen(folder), m = strlen(name);
    char *out = tni_arena_alloc(&r->scratch, n + m + 2, 1);
    if (out == NULL) return NULL;
    memcpy(out, folder, n);
    out[n] = '/';
    memcpy(out + n + 1, name, m + 1);
    return out;
}

char *tni_folder_of(tni_reader *r, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return tni_arena_strndup(&r->scratch, ".", 1);
    return tni_arena_strndup(&r->scratch, path,
                             slash == path ? 1 : (size_t)(slash - path));
}

tn_status tni_reader_progress(tni_reader *r, uint64_t done, uint64_t total,
                              tn_err *err)
{
    if (r->opts == NULL || r->opts->progress == NULL) return TN_OK;
    if (done < r->next_progress && done < total) return TN_OK;
    r->next_progress = done + total / 200 + 1;
    if (r->opts->progress(r->opts->progress_ctx, done, total) != 0)
        return tni_fail(err, TN_ECANCELED, "canceled by the caller");
    return TN_OK;
}

/* Relative, and no part is "..". */
static bool stays_inside(const char *name)
{
    if (name[0] == '/' || name[0] == '\\' || name[0] == '\0') return false;
    for (const char *p = name; *p != '\0';) {
        const size_t n = strcspn(p, "/\\");
        if (n == 2 && p[0] == '.' && p[1] == '.') return false;
        p += n;
        if (*p != '\0') p++;
    }
    return true;
}

tn_status tni_image_header(const tn_dataset *d, uint32_t image,
                           tn_image_info *info, tn_err *err)
{
    const char *file = tni_image_at(d, image)->file;
    const tni_span *inside = tni_image_bytes(d, image);
    if (inside != NULL)
        return tn_image_probe(info, NULL, inside->p, inside->len, 0,
                              TN_IMAGE_HEAD_ONLY, err);
    if (file == NULL) return tni_fail(err, TN_ENOTFOUND, "there is no file");
    return tn_image_info_read(info, file, TN_IMAGE_HEAD_ONLY, &d->limits, err);
}

tn_status tni_set_header(tni_reader *r, uint32_t image, tn_status status,
                         const tn_image_info *info, const char *why,
                         tn_err *err)
{
    tni_image_row *row = tni_image_at(r->d, image);
    const char *name = row->file != NULL ? row->file : row->name;
    if (status == TN_ENOMEM) return tni_fail(err, status, "%s", why);
    if (status != TN_OK)
        return tni_note_add(r->d, row->where, "image-header", err,
                            "%.200s: %.180s", name, why);
    if (info->width > INT32_MAX || info->height > INT32_MAX)
        return tni_note_add(r->d, row->where, "image-header", err,
                            "%.200s: larger than any image", name);
    row->raw_width = (int32_t)info->width;
    row->raw_height = (int32_t)info->height;
    row->orientation = (uint8_t)info->orientation;
    if (row->frame == TN_FRAME_UNKNOWN && row->orientation >= 5 &&
        info->width != info->height && row->width > 0) {
        if (row->width == row->raw_width && row->height == row->raw_height)
            row->frame = TN_FRAME_RAW;
        if (row->width == row->raw_height && row->height == row->raw_width)
            row->frame = TN_FRAME_UPRIGHT;
    }
    return TN_OK;
}

tn_status tni_read_header(tni_reader *r, uint32_t image, tn_err *err)
{
    tn_image_info info = TN_IMAGE_INFO_INIT;
    tn_err why;
    memset(&why, 0, sizeof why);
    if (!tni_image_there(r->d, image) ||
        (r->flags & TN_DATASET_NO_HEADERS) != 0)
        return TN_OK;
    const tn_status status = tni_image_header(r->d, image, &info, &why);
    return tni_set_header(r, image, status, &info, why.message, err);
}

tn_status tni_reader_threads(tni_reader *r, uint64_t n_items,
                             const tni_par **par, tn_err *err)
{
    if (r->pool == NULL)
        TN_TRY(tni_blocks_threads(&r->pool,
                                  r->opts != NULL ? r->opts->n_threads : 1,
                                  n_items, &r->d->mem, err));
    *par = tni_blocks_par(r->pool);
    return TN_OK;
}

/* The names in a folder, listed once: asking the system for every image of a
 * large dataset in every folder takes longer than reading its labels. */
struct tni_folder {
    tni_strmap names;
};

static tn_status folder_of(tni_reader *r, const char *path,
                           const struct tni_folder **out, tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    bool new_path = false;
    if (r->folders.arena == NULL) tni_strmap_init(&r->folders, &r->scratch);
    void **slot = tni_strmap_add(&r->folders, path, strlen(path), &new_path);
    struct tni_folder *f = slot != NULL ? *slot : NULL;
    *out = f;
    if (f != NULL) return TN_OK;
    f = slot != NULL ? TNI_NEW(&r->scratch, struct tni_folder) : NULL;
    if (f == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    tni_strmap_init(&f->names, &r->scratch);
    TN_TRY(tni_list(r, path, &e, &n, err));
    for (size_t i = 0; i < n; i++) {
        bool fresh = false;
        if (tni_strmap_add(&f->names, e[i].name, strlen(e[i].name), &fresh) ==
            NULL)
            return tni_fail(err, TN_ENOMEM, "out of memory");
    }
    *slot = f;
    *out = f;
    return TN_OK;
}

tn_status tni_find_image(tni_reader *r, uint32_t image,
                         const char *const *folders, tn_err *err)
{
    tni_image_row *row = tni_image_at(r->d, image);
    char path[PATH_SIZE];
    if (!stays_inside(row->name)) return TN_OK;
    const size_t first = strcspn(row->name, "/\\");
    for (; *folders != NULL; folders++) {
        const struct tni_folder *f = NULL;
        TN_TRY(folder_of(r, *folders, &f, err));
        if (tni_strmap_find(&f->names, row->name, first) == NULL) continue;
        const int n = snprintf(path, sizeof path, "%s/%s", *folders, row->name);
        if (n < 0 || (size_t)n >= sizeof path) continue;
        if (!tni_path_look(path).is_file) continue;
        row->file = tni_keep(r->d, path, (size_t)n);
        if (row->file == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        return tni_read_header(r, image, err);
    }
    return TN_OK;
}

/* --- choosing ------------------------------------------------------------ */

/* What a file is that has to be unpacked first; NULL for others. */
static const char *archive_of(const tni_probe *p)
{
    static const struct {
        const char *magic, *name;
        size_t len;
    } rows[] = {{"\x1f\x8b", "gzip", 2},
                {"PK\x03\x04", "zip", 4},
                {"\x28\xb5\x2f\xfd", "zstd", 4},
                {"\xfd\x37zXZ", "xz", 5},
                {"BZh", "bzip2", 3},
                {"Rar!", "rar", 4},
                {"7z\xbc\xaf", "7-Zip", 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!p->is_dir && p->head.len >= rows[i].len &&
            memcmp(p->head.p, rows[i].magic, rows[i].len) == 0)
            return rows[i].name;
    return NULL;
}

/* The best score, and the names of those that have it. */
static tn_status choose(const tni_format **out, const tni_probe *p,
                        const tni_probe *unpacked, tn_err *err)
{
    int best = 0, n = 0;
    const tni_format *chosen = NULL;
    char names[200] = "";
    size_t used = 0;
    for (int i = 0; i < N_FORMATS; i++) {
        const bool packed = (formats[i]->flags & TNI_FORMAT_PACKED) != 0;
        const int score = formats[i]->probe(packed ? p : unpacked);
        if (score < best || score < SURE) continue;
        if (score > best) {
            used = 0;
            n = 0;
        }
        best = score;
        chosen = formats[i];
        n++;
        const int k = snprintf(names + used, sizeof names - used, "%s%s",
                               n > 1 ? ", " : "", formats[i]->name);
        if (k > 0 && used + (size_t)k < sizeof names) used += (size_t)k;
    }
    *out = chosen;
    if (n == 1) return TN_OK;
    if (n > 1)
        return tni_fail(err, TN_EINVAL,
                        "it could be any of %s; say which (--from)", names);
    const char *archive = archive_of(p);
    if (archive != NULL)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "it is compressed (%s): unpack it, then name the file "
                        "or folder that comes out",
                        archive);
    return tni_fail(err, TN_EUNSUPPORTED,
                    "no format recognises it; say which it is (--from; 'tenon "
                    "list formats' has the names)");
}

/* The path without ".gz", in the dataset's arena; as it is when that leaves no
 * name. NULL: no memory. */
static const char *without_gz(tni_reader *r)
{
    const size_t n = strlen(r->path);
    const bool ends =
        n > 3 && tni_ends_with(r->path, ".gz") && r->path[n - 4] != '/';
    return tni_keep(r->d, r->path, ends ? n - 3 : n);
}

static tn_status find_format(tni_reader *r, tn_err *err)
{
    if (r->opts != NULL && r->opts->format != NULL) {
        r->d->format = tni_format_find(r->opts->format);
        if (r->d->format != NULL) return TN_OK;
        return tni_fail(err, TN_EINVAL,
                        "no format is called '%.40s'; 'tenon list formats' "
                        "lists them",
                        r->opts->format);
    }
    tni_probe p;
    memset(&p, 0, sizeof p);
    p.path = r->path;
    p.r = r;
    p.is_dir = r->is_dir;
    if (r->is_dir) {
        tni_dir_entry *entries = NULL;
        TN_TRY(tni_dir_list(&entries, &p.n_entries, r->path, &r->scratch, err));
        p.entries = entries;
        return choose(&r->d->format, &p, &p, err);
    }
    tni_file_map map;
    TN_TRY(tni_file_map_open(&map, r->path, r->d->limits.max_file_bytes, err));
    p.head.p = map.size > 0 ? (const char *)map.bytes : "";
    p.head.len = map.size < HEAD_BYTES ? map.size : HEAD_BYTES;
    tni_probe unpacked = p;
    char *head = NULL;
    tn_status status = TN_OK;
    if (tni_is_gzip(map.bytes, map.size)) {
        head = tni_arena_alloc(&r->scratch, HEAD_BYTES, 1);
        unpacked.path = without_gz(r);
        if (head == NULL || unpacked.path == NULL)
            status = tni_fail(err, TN_ENOMEM, "out of memory");
        else
            unpacked.head.len =
                tni_gunzip_head(head, HEAD_BYTES, map.bytes, map.size);
        unpacked.head.p = head;
    }
    if (status == TN_OK) status = choose(&r->d->format, &p, &unpacked, err);
    tni_file_map_close(&map);
    return status;
}

/* A file that is gzip is read as what it holds, under a name without ".gz". */
static tn_status look_inside(tni_reader *r, tn_err *err)
{
    tni_file_map map;
    if (r->is_dir || (r->d->format->flags & TNI_FORMAT_PACKED) != 0)
        return TN_OK;
    TN_TRY(tni_file_map_open(&map, r->path, r->d->limits.max_file_bytes, err));
    const bool packed = tni_is_gzip(map.bytes, map.size);
    tni_file_map_close(&map);
    if (!packed) return TN_OK;
    r->d->unpacked = r->path = without_gz(r);
    return r->path != NULL ? TN_OK : tni_fail(err, TN_ENOMEM, "out of memory");
}

/* Annotations that are gzip in a folder would be missing without a word. */
static tn_status refuse_packed(tni_reader *r, const char *folder, int depth,
                               tn_err *err)
{
    static const char *const ends[] = {".json.gz", ".jsonl.gz", ".ndjson.gz",
                                       ".csv.gz",  ".tsv.gz",   ".xml.gz",
                                       ".yaml.gz", ".yml.gz",   ".txt.gz"};
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(r, folder, &e, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].name[0] == '.') continue;
        if (e[i].is_dir && depth > 1)
            TN_TRY(refuse_packed(r, tni_join(r, folder, e[i].name), depth - 1,
                                 err));
        for (size_t k = 0; !e[i].is_dir && k < sizeof ends / sizeof ends[0];
             k++) {
            if (!tni_ends_with(e[i].name, ends[k])) continue;
            tni_err_where(err, "%s/%s", folder, e[i].name);
            return tni_fail(err, TN_EUNSUPPORTED,
                            "annotations that are gzip are read on their own, "
                            "not in a folder: unpack it (gunzip), or name it "
                            "instead of the folder");
        }
    }
    return TN_OK;
}

static bool has_word(const char *words, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = words; p != NULL && *p != '\0';) {
        const size_t len = strcspn(p, " ");
        if (len == n && memcmp(p, word, n) == 0) return true;
        p += len + (p[len] == ' ' ? 1 : 0);
    }
    return false;
}

tn_status tni_check_variant(const tni_format *f, const char *variant,
                            tn_err *err)
{
    if (variant == NULL || has_word(f->variants, variant)) return TN_OK;
    if (f->variants == NULL)
        return tni_fail(err, TN_EINVAL, "format '%s' has no variants", f->name);
    return tni_fail(err, TN_EINVAL,
                    "format '%s' has no variant '%.40s'; it has: %s", f->name,
                    variant, f->variants);
}

static tn_status read_all(tni_reader *r, tn_err *err)
{
    tn_dataset *d = r->d;
    const tni_path_info look = tni_path_look(r->path);
    if (!look.exists)
        return tni_fail(err, TN_ENOTFOUND,
                        "no such file or folder; check the path");
    r->is_dir = look.is_dir;
    /* What this library wrote itself has none. */
    if (r->is_dir && !r->leave) {
        const tni_arena_mark mark = tni_arena_save(&r->scratch);
        TN_TRY(refuse_packed(r, r->path, PACKED_DEPTH, err));
        tni_arena_rewind(&r->scratch, mark);
    }
    TN_TRY(find_format(r, err));
    TN_TRY(look_inside(r, err));
    TN_TRY(tni_check_variant(d->format, r->variant, err));
    TN_TRY(d->format->read(r, err));
    if ((r->flags & TN_DATASET_NO_RESIDUE) == 0)
        TN_TRY(tni_residue_read(r, err));
    return tni_dataset_seal(d, err);
}

tn_status tni_dataset_read(tn_dataset **out, const char *path,
                           const tn_dataset_opts *opts, bool leave, tn_err *err)
{
    static const tn_dataset_opts defaults = TN_DATASET_OPTS_INIT;
    tn_dataset_opts o = defaults;
    *out = NULL;
    if (opts != NULL)
        memcpy(&o, opts,
               opts->struct_size < sizeof o ? opts->struct_size : sizeof o);
    tn_dataset *d = NULL;
    TN_TRY(tni_dataset_new(&d, o.allocator, o.limits, err));
    tni_reader r;
    memset(&r, 0, sizeof r);
    r.d = d;
    r.opts = &o;
    r.variant = o.variant;
    r.images = o.images;
    r.flags = o.flags;
    r.leave = leave;
    tni_arena_init(&r.scratch, &d->mem, 1 << 14);
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') len--;
    d->path = r.path = tni_keep(d, path, len);
    tn_status status = TN_OK;
    if (d->path == NULL)
        status = tni_fail(err, TN_ENOMEM, "out of memory");
    else if (len == 0)
        status = tni_fail(err, TN_EINVAL, "the path is empty");
    else
        status = read_all(&r, err);
    tni_threadpool_free(r.pool);
    tni_arena_fini(&r.scratch);
    if (d->mem.peak_bytes > LARGE) tni_libc_trim();
    if (status != TN_OK) {
        if (err != NULL && (err->where[0] == '\0' || r.path == NULL ||
                            strstr(err->where, r.path) == NULL))
            tni_err_where(err, "%s", path);
        tn_dataset_close(d);
        return status;
    }
    *out = d;
    return TN_OK;
}

tn_status tn_dataset_open(tn_dataset **out, const char *path,
                          const tn_dataset_opts *opts, tn_err *err)
{
    return tni_dataset_read(out, path, opts, false, err);
}
