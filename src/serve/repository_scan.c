/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repository_scan.c - which models a path holds, and which versions a model
 *
 *     model.onnx                  a file: the model "model"
 *     DIR/a.onnx                  the model "a", version 1
 *     DIR/b/model.onnx            the model "b", version 1
 *     DIR/c/config.pbtxt, DIR/c/3/model.onnx      Triton's layout
 *
 * DIR may itself be such a model folder. Links are followed as long as they
 * stay below the path that was given.
 */
#include "serve/repository.h"
#include "sys/dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS_MOST = 4096, DATA_DEPTH = 2 };

bool tni_model_name_ok(tni_span name)
{
    if (name.len == 0 || name.len > TNI_MODEL_NAME_MAX || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static tn_status join(const char **out, const char *folder, const char *name,
                      tni_arena *arena, tn_err *err)
{
    char path[TNI_PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return tni_fail(err, TN_EINVAL, "a path is too long");
    *out = tni_arena_strndup(arena, path, (size_t)n);
    if (*out == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    return TN_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* "a" of "a.onnx"; empty when it does not end so. */
static tni_span stem_of(const char *name)
{
    const size_t n = strlen(name);
    if (n <= 5 || strcmp(name + n - 5, ".onnx") != 0)
        return (tni_span){name, 0};
    return (tni_span){name, n - 5};
}

/* 1, 2, ... without leading zeros; 0 for anything else. */
static int64_t version_of(const char *name)
{
    int64_t v = 0;
    const size_t n = strlen(name);
    if (n == 0 || n > 18 || name[0] == '0') return 0;
    for (size_t i = 0; i < n; i++) {
        if (name[i] < '0' || name[i] > '9') return 0;
        v = v * 10 + (name[i] - '0');
    }
    return v;
}

/* --- models ------------------------------------------------------------- */

typedef struct scan {
    tni_repository *r;
    tni_arena *arena;
    tni_source *list;
    size_t n, cap;
} scan;

static tn_status add_source(scan *s, tni_span name, const char *path,
                            const char *root, bool is_file, tn_err *err)
{
    for (size_t i = 0; i < s->n; i++)
        if (tni_span_is(name, s->list[i].name))
            return tni_fail(err, TN_EINVAL,
                            "there are two models '%s': %.120s and %.120s",
                            s->list[i].name, s->list[i].path, path);
    if (s->n == s->cap) {
        const size_t cap = s->cap == 0 ? 16 : s->cap * 2;
        tni_source *more = TNI_NEW_ARRAY(s->arena, tni_source, cap);
        if (more == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        if (s->n > 0) memcpy(more, s->list, s->n * sizeof *more);
        s->list = more;
        s->cap = cap;
    }
    tni_source *source = &s->list[s->n];
    source->name = tni_arena_strndup(s->arena, name.p, name.len);
    source->path = tni_arena_strndup(s->arena, path, strlen(path));
    source->root = root;
    source->is_file = is_file;
    if (source->name == NULL || source->path == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    s->n++;
    return TN_OK;
}

/* What a folder holds, as far as it tells what the folder is. */
typedef struct folder_kind {
    bool config, model, versions;
    size_t n_onnx;
} folder_kind;

static tn_status look_at_folder(folder_kind *k, const char *path,
                                tni_arena *arena, tn_err *err)
{
    tni_dir_entry *e = NULL;
    size_t n = 0;
    memset(k, 0, sizeof *k);
    TN_TRY(tni_dir_list(&e, &n, path, arena, err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir && version_of(e[i].name) > 0) k->versions = true;
        if (!e[i].is_dir && strcmp(e[i].name, "config.pbtxt") == 0)
            k->config = true;
        if (strcmp(e[i].name, "model.onnx") == 0) k->model = true;
        if (!e[i].is_dir && stem_of(e[i].name).len > 0) k->n_onnx++;
    }
    return TN_OK;
}

static bool is_model(const folder_kind *k)
{
    return k->config || k->versions || k->model;
}

static tn_status scan_folder(scan *s, const char *root, const char *given,
                             tn_err *err)
{
    tni_dir_entry *e = NULL;
    size_t n = 0;
    folder_kind kind;
    TN_TRY(look_at_folder(&kind, root, s->arena, err));
    /* A folder of model files may have one that is called model.onnx. */
    if (is_model(&kind) && kind.n_onnx <= 1) {
        const tni_span name =
            tni_span_of(given != NULL ? given : base_name(root));
        if (!tni_model_name_ok(name))
            return tni_fail(err, TN_EINVAL,
                            "%.200s is no name of a model: "
                            "expected letters, digits, '.', '_' and '-'",
                            name.p);
        return add_source(s, name, root, root, false, err);
    }
    if (given != NULL)
        return tni_fail(err, TN_EINVAL,
                        "'%s' names %.160s, which is no model but a folder of "
                        "models: give it without a name",
                        given, root);
    TN_TRY(tni_dir_list(&e, &n, root, s->arena, err));
    for (size_t i = 0; i < n; i++) {
        const tni_span name =
            e[i].is_dir ? tni_span_of(e[i].name) : stem_of(e[i].name);
        if (!tni_model_name_ok(name)) continue;
        const char *full = NULL;
        TN_TRY(join(&full, root, e[i].name, s->arena, err));
        if (e[i].is_dir) {
            if (look_at_folder(&kind, full, s->arena, NULL) != TN_OK ||
                !is_model(&kind))
                continue;
        }
        TN_TRY(add_source(s, name, full, root, !e[i].is_dir, err));
    }
    return TN_OK;
}

static tn_status scan_file(scan *s, const char *path, const char *given,
                           tn_err *err)
{
    tni_span name = stem_of(base_name(path));
    if (given != NULL) name = tni_span_of(given);
    if (name.len == 0)
        return tni_fail(err, TN_EINVAL,
                        "%.200s is no model: expected a file that ends in "
                        ".onnx, or a folder",
                        path);
    if (!tni_model_name_ok(name))
        return tni_fail(err, TN_EINVAL,
                        "'%.128s' is no name of a model: expected letters, "
                        "digits, '.', '_' and '-'; give it one, NAME=PATH",
                        base_name(path));
    return add_source(s, name, path, NULL, true, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tni_source *)a)->name, ((const tni_source *)b)->name);
}

tn_status tni_repository_scan(tni_repository *r, tni_source **out, size_t *n,
                              tni_arena *arena, tn_err *err)
{
    scan s;
    memset(&s, 0, sizeof s);
    s.r = r;
    s.arena = arena;
    for (size_t i = 0; i < r->opts.n_paths; i++) {
        const char *path = r->opts.paths[i];
        const tni_path_info info = tni_path_look(path);
        if (!info.exists)
            return tni_fail(err, TN_ENOTFOUND, "%.200s does not exist", path);
        if (info.is_dir)
            TN_TRY(scan_folder(&s, r->roots[i], r->opts.names[i], err));
        else
            TN_TRY(scan_file(&s, path, r->opts.names[i], err));
    }
    if (s.n > 1) qsort(s.list, s.n, sizeof *s.list, by_name);
    *out = s.list;
    *n = s.n;
    return TN_OK;
}

/* --- versions of one ---------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 29);
}

static uint64_t print_file(uint64_t h, const char *path)
{
    const tni_path_info info = tni_path_look(path);
    for (const char *p = path; *p != '\0'; p++) h = mix(h, (unsigned char)*p);
    h = mix(h, info.size);
    h = mix(h, info.modified_ns);
    return mix(h, info.inode);
}

/* All files below a folder, a few levels down. */
static tn_status print_folder(uint64_t *h, const char *path, int depth,
                              tni_arena *arena, tn_err *err)
{
    tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_dir_list(&e, &n, path, arena, err));
    for (size_t i = 0; i < n; i++) {
        const char *full = NULL;
        TN_TRY(join(&full, path, e[i].name, arena, err));
        if (!e[i].is_dir)
            *h = print_file(*h, full);
        else if (depth > 0)
            TN_TRY(print_folder(h, full, depth - 1, arena, err));
    }
    return TN_OK;
}

/* Where the path leads to must be below the root. */
static tn_status stay_below(const char *root, const char *path, tn_err *err)
{
    char real[TNI_PATH_MAX];
    if (root == NULL) return TN_OK;
    TN_TRY(tni_path_real(real, sizeof real, path, err));
    const size_t n = strlen(root);
    if (strncmp(real, root, n) == 0 &&
        (real[n] == '/' || real[n] == '\0' || root[n - 1] == '/'))
        return TN_OK;
    return tni_fail(err, TN_EINVAL, "%.200s leads out of the repository", path);
}

/* The model file in a folder; a folder of its name may hold it, with its
 * external data. */
static tn_status find_model(const char **out, const tni_source *source,
                            const char *folder, const char *file,
                            tni_arena *arena, tn_err *err)
{
    TN_TRY(join(out, folder, file, arena, err));
    if (tni_path_look(*out).is_dir) TN_TRY(join(out, *out, file, arena, err));
    if (!tni_path_look(*out).is_file)
        return tni_fail(err, TN_ENOTFOUND, "%.200s does not exist", *out);
    return stay_below(source->root, *out, err);
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = ((const tni_found_version *)a)->number;
    const int64_t y = ((const tni_found_version *)b)->number;
    return x < y ? -1 : x > y;
}

static tn_status look_at_versions(const tni_source *source, const char *file,
                                  tni_found *out, const tni_dir_entry *e,
                                  size_t n, tni_arena *arena, tn_err *err)
{
    out->versions = TNI_NEW_ARRAY(arena, tni_found_version, n + 1);
    if (out->versions == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const int64_t number = e[i].is_dir ? version_of(e[i].name) : 0;
        if (number == 0) continue;
        if (out->n_versions == VERSIONS_MOST)
            return tni_fail(err, TN_ELIMIT, "more than %d versions",
                            (int)VERSIONS_MOST);
        const char *folder = NULL;
        tni_found_version *v = &out->versions[out->n_versions];
        TN_TRY(join(&folder, source->path, e[i].name, arena, err));
        TN_TRY(print_folder(&v->print, folder, DATA_DEPTH, arena, err));
        v->number = number;
        /* One without its file is no reason to refuse the others. */
        if (find_model(&v->path, source, folder, file, arena, NULL) != TN_OK)
            v->path = NULL;
        out->n_versions++;
    }
    if (out->n_versions > 1)
        qsort(out->versions, out->n_versions, sizeof *out->versions, by_number);
    return TN_OK;
}

static tn_status one_version(tni_found *out, const char *path, tni_arena *arena,
                             tn_err *err)
{
    out->versions = TNI_NEW_ARRAY(arena, tni_found_version, 1);
    if (out->versions == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    out->n_versions = 1;
    out->versions->number = 1;
    out->versions->path = path;
    out->versions->print = print_file(1, path);
    return TN_OK;
}

tn_status tni_source_look(const tni_source *source, const char *model_file,
                          tni_found *out, tni_arena *arena, tn_err *err)
{
    memset(out, 0, sizeof *out);
    if (source->is_file) {
        TN_TRY(stay_below(source->root, source->path, err));
        return one_version(out, source->path, arena, err);
    }
    tni_dir_entry *e = NULL;
    size_t n = 0;
    out->folder = source->path;
    TN_TRY(stay_below(source->root, source->path, err));
    TN_TRY(tni_dir_list(&e, &n, source->path, arena, err));
    bool bare = false;
    for (size_t i = 0; i < n; i++) {
        const char *full = NULL;
        if (e[i].is_dir) continue;
        TN_TRY(join(&full, source->path, e[i].name, arena, err));
        out->print = print_file(out->print, full);
        if (strcmp(e[i].name, model_file) == 0) bare = true;
        if (strcmp(e[i].name, "config.pbtxt") != 0) continue;
        TN_TRY(stay_below(source->root, full, err));
        out->config_path = full;
    }
    TN_TRY(look_at_versions(source, model_file, out, e, n, arena, err));
    if (out->n_versions > 0) return TN_OK;
    if (!bare)
        return tni_fail(err, TN_ENOTFOUND,
                        "there is no version of the model: expected a folder "
                        "\"1\" with %.60s in it",
                        model_file);
    const char *path = NULL;
    TN_TRY(find_model(&path, source, source->path, model_file, arena, err));
    return one_version(out, path, arena, err);
}

uint64_t tni_found_print(const tni_found *found)
{
    uint64_t h = mix(found->print, found->n_versions);
    for (size_t i = 0; i < found->n_versions; i++) {
        h = mix(h, (uint64_t)found->versions[i].number);
        h = mix(h, found->versions[i].print);
    }
    return h;
}
