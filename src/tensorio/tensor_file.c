/* SPDX-License-Identifier: Apache-2.0 */
/* tensor_file.c - reading values from .npy, .npz and ONNX .pb files */
#include "base/limits.h"
#include "onnx/decode_tensor.h"
#include "sys/file.h"
#include "tensor/value.h"
#include "tensorio/npy.h"

#include <string.h>

/* One call of the public functions. */
typedef struct reading {
    tn_read_opts opts;
    tn_limits limits;
    tni_file_map map;
    tn_err *err;
    /* .npz */
    tni_mem mem;
    tn_status (*each)(void *ctx, const char *name, tn_tensor *value);
    void *ctx;
    tn_tensor *found;
    size_t n_members;
    char names[160]; /* of the members, for messages */
} reading;

/* --- one value ----------------------------------------------------------- */

static tn_status decode_pb(const reading *r, tni_arena *arena, tni_tensor *out)
{
    static const char *const names[] = {"TensorProto", "TensorProto",
                                        "SequenceProto", "OptionalProto",
                                        "MapProto"};
    tni_tensor_src src;
    memset(&src, 0, sizeof src);
    src.arena = arena;
    src.limits = &r->limits;
    src.err = r->err;
    const unsigned kind = (unsigned)r->opts.kind;
    if (kind > TN_KIND_MAP)
        return tni_fail(r->err, TN_EINVAL, "tn_read_opts.kind is %u", kind);
    tni_wire w;
    static const uint8_t nothing[1];
    tni_wire_init(&w, r->map.bytes != NULL ? r->map.bytes : nothing,
                  r->map.size, names[kind], tni_wire_depth(&r->limits), r->err);
    const int depth = (int)r->limits.max_nesting;
    switch (r->opts.kind) {
    case TN_KIND_SEQUENCE: return tni_decode_sequence(&src, &w, out, depth);
    case TN_KIND_OPTIONAL: return tni_decode_optional(&src, &w, out, depth);
    case TN_KIND_MAP: return tni_decode_map(&src, &w, out, depth);
    default: return tni_decode_tensor(&src, &w, out, NULL);
    }
}

/* A value of its own from .npy bytes, or from the file as .pb when NULL. */
static tn_status new_value(reading *r, const uint8_t *npy, size_t size,
                           tn_tensor **out)
{
    tn_tensor *t = NULL;
    tni_arena *arena = NULL;
    TN_TRY(tni_value_new(&t, &arena, r->opts.allocator, r->err));
    const uint64_t most = r->limits.max_total_bytes;
    arena->mem->limit_bytes = most < SIZE_MAX ? (size_t)most : SIZE_MAX;
    tni_tensor value;
    const tn_status status = npy != NULL ? tni_npy_decode(npy, size, &r->limits,
                                                          arena, &value, r->err)
                                         : decode_pb(r, arena, &value);
    if (status != TN_OK) {
        tn_tensor_free(t);
        return status;
    }
    value.owner = t->owner;
    *t = value;
    *out = t;
    return TN_OK;
}

/* --- .npz ---------------------------------------------------------------- */

/* The member's name without ".npy"; 0 for other members. */
static size_t stem(const char *name, size_t len)
{
    return len > 4 && memcmp(name + len - 4, ".npy", 4) == 0 ? len - 4 : 0;
}

static void note_name(reading *r, const char *name, size_t len)
{
    const size_t used = strlen(r->names);
    if (used + len + 3 > sizeof r->names) return;
    char *to = r->names + used;
    if (used != 0) {
        memcpy(to, ", ", 2);
        to += 2;
    }
    memcpy(to, name, len);
    to[len] = '\0';
}

static bool want_any(void *ctx, const char *name, size_t len)
{
    (void)ctx;
    return stem(name, len) != 0;
}

static tn_status give_member(void *ctx, const char *name, size_t len,
                             const uint8_t *bytes, size_t size)
{
    reading *r = ctx;
    const size_t n = stem(name, len);
    if (n > r->limits.max_name_bytes)
        return tni_fail(r->err, TN_ELIMIT, "the name has %zu bytes", n);
    char *text = tni_mem_alloc(&r->mem, n + 1, 1);
    if (text == NULL) return tni_fail(r->err, TN_ENOMEM, "out of memory");
    memcpy(text, name, n);
    text[n] = '\0';
    tn_tensor *value = NULL;
    tn_status status = new_value(r, bytes, size, &value);
    if (status == TN_OK) status = r->each(r->ctx, text, value);
    tni_mem_free(&r->mem, text, n + 1, 1);
    return status;
}

static bool want_one(void *ctx, const char *name, size_t len)
{
    reading *r = ctx;
    const size_t n = stem(name, len);
    if (n == 0) return false;
    r->n_members++;
    note_name(r, name, n);
    if (r->opts.member == NULL) return r->n_members == 1;
    return r->found == NULL && strlen(r->opts.member) == n &&
           memcmp(r->opts.member, name, n) == 0;
}

static tn_status take_member(void *ctx, const char *name, size_t len,
                             const uint8_t *bytes, size_t size)
{
    reading *r = ctx;
    (void)name;
    (void)len;
    return new_value(r, bytes, size, &r->found);
}

static tn_status read_one_member(reading *r, tn_tensor **out)
{
    const tni_zip_reader zip = {r,       want_one,   take_member,
                                &r->mem, &r->limits, r->err};
    tn_status status = tni_zip_read(&zip, r->map.bytes, r->map.size);
    if (status == TN_OK && r->opts.member == NULL && r->n_members > 1)
        status = tni_fail(r->err, TN_EINVAL,
                          "the archive has %zu arrays (%s); say which",
                          r->n_members, r->names);
    if (status == TN_OK && r->found == NULL)
        status = tni_fail(r->err, TN_ENOTFOUND,
                          "the archive has no array '%.80s'; it has %s",
                          r->opts.member != NULL ? r->opts.member : "",
                          r->names[0] != '\0' ? r->names : "none");
    if (status != TN_OK) {
        tn_tensor_free(r->found);
        return status;
    }
    *out = r->found;
    return TN_OK;
}

/* --- public -------------------------------------------------------------- */

static tn_status open_file(reading *r, const char *path,
                           const tn_read_opts *user, tn_err *err)
{
    static const tn_read_opts defaults = TN_READ_OPTS_INIT;
    memset(r, 0, sizeof *r);
    r->opts = defaults;
    if (user != NULL)
        memcpy(&r->opts, user,
               user->struct_size < sizeof r->opts ? user->struct_size
                                                  : sizeof r->opts);
    r->err = err;
    tni_limits_fill(&r->limits, r->opts.limits);
    const uint64_t most = r->limits.max_total_bytes;
    tni_mem_init(&r->mem, r->opts.allocator,
                 most < SIZE_MAX ? (size_t)most : SIZE_MAX);
    return tni_file_map_open(&r->map, path, r->limits.max_file_bytes, err);
}

static void add_path(tn_err *err, const char *path)
{
    if (strncmp(err->where, path, strlen(path)) != 0)
        tni_err_where(err, "%s", path);
}

tn_status tn_tensor_read(tn_tensor **out, const char *path,
                         const tn_read_opts *opts, tn_err *err)
{
    tn_err scratch;
    if (err == NULL) err = &scratch;
    tni_err_clear(err);
    *out = NULL;
    reading r;
    tn_status status = open_file(&r, path, opts, err);
    if (status == TN_OK) {
        if (tni_is_npy(r.map.bytes, r.map.size))
            status = new_value(&r, r.map.bytes, r.map.size, out);
        else if (tni_is_zip(r.map.bytes, r.map.size))
            status = read_one_member(&r, out);
        else
            status = new_value(&r, NULL, 0, out);
    }
    tni_file_map_close(&r.map);
    if (status != TN_OK) add_path(err, path);
    return status;
}

tn_status tn_npz_read(const char *path, const tn_read_opts *opts,
                      tn_status (*each)(void *ctx, const char *name,
                                        tn_tensor *value),
                      void *ctx, tn_err *err)
{
    tn_err scratch;
    if (err == NULL) err = &scratch;
    tni_err_clear(err);
    reading r;
    tn_status status = open_file(&r, path, opts, err);
    if (status == TN_OK && !tni_is_zip(r.map.bytes, r.map.size))
        status = tni_fail(err, TN_EFORMAT,
                          "this is not an .npz archive; expected a zip file");
    if (status == TN_OK) {
        r.each = each;
        r.ctx = ctx;
        const tni_zip_reader zip = {&r,     want_any,  give_member,
                                    &r.mem, &r.limits, err};
        status = tni_zip_read(&zip, r.map.bytes, r.map.size);
    }
    tni_file_map_close(&r.map);
    if (status != TN_OK) add_path(err, path);
    return status;
}
