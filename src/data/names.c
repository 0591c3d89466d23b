/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - names of images that are safe and unique in a target */
#include "data/names.h"

#include <stdio.h>

/* The parts of a path that stay inside. */
static char *clean(tni_arena *arena, const char *name)
{
    char *out = tni_arena_alloc(arena, strlen(name) + 8, 1);
    if (out == NULL) return NULL;
    size_t n = 0;
    const char *p = name;
    if (((p[0] | 32) >= 'a' && (p[0] | 32) <= 'z') && p[1] == ':') p += 2;
    while (*p != '\0') {
        const size_t len = strcspn(p, "/\\");
        const bool dots = (len == 1 && p[0] == '.') ||
                          (len == 2 && p[0] == '.' && p[1] == '.');
        if (len > 0 && !dots) {
            if (n > 0) out[n++] = '/';
            memcpy(out + n, p, len);
            n += len;
        }
        p += len;
        if (*p != '\0') p++;
    }
    if (n == 0) {
        memcpy(out, "unnamed", 7);
        n = 7;
    }
    out[n] = '\0';
    return out;
}

size_t tni_stem_len(const char *name)
{
    const char *dot = strrchr(name, '.'), *slash = strrchr(name, '/');
    if (dot == NULL || dot == name || (slash != NULL && dot < slash + 2))
        return strlen(name);
    return (size_t)(dot - name);
}

/* What two images of a target may not have in common. */
static char *key_of(tni_arena *arena, uint32_t split, const char *name,
                    const tni_names_rule *rule)
{
    const size_t len = rule->stems ? tni_stem_len(name) : strlen(name);
    char *key = tni_arena_alloc(arena, len + 16, 1);
    if (key == NULL) return NULL;
    const size_t n = (size_t)snprintf(key, 16, "%d/", (int)split);
    for (size_t i = 0; i < len; i++) {
        const bool upper = name[i] >= 'A' && name[i] <= 'Z';
        key[n + i] = upper && rule->files ? (char)(name[i] + 32) : name[i];
    }
    key[n + len] = '\0';
    return key;
}

static uint32_t hash_of(const char *name, unsigned salt)
{
    uint32_t h = 2166136261u ^ salt;
    for (const char *p = name; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    return h;
}

/* The name, with the ending of the file where it has none of an image. */
static const char *with_ending(const tni_image_row *r, tni_arena *arena)
{
    const char *dot = r->file != NULL ? strrchr(r->file, '.') : NULL;
    if (tni_is_image_name(r->name) || dot == NULL ||
        !tni_is_image_name(r->file))
        return r->name;
    const size_t n = strlen(r->name), m = strlen(dot);
    char *out = tni_arena_alloc(arena, n + m + 1, 1);
    if (out == NULL) return r->name;
    memcpy(out, r->name, n);
    memcpy(out + n, dot, m + 1);
    return out;
}

typedef struct taken_names {
    tni_arena scratch; /* of the keys */
    tni_strmap keys;   /* what is taken */
    tni_strmap tries; /* of an image's name: how often another was made of it */
} taken_names;

/* Thousands of images may have one name: each goes on where the last ended. */
static unsigned *tries_of(taken_names *m, uint32_t split, const char *name)
{
    tni_arena *arena = &m->scratch;
    const size_t size = strlen(name) + 16;
    char *key = tni_arena_alloc(arena, size, 1);
    bool fresh = false;
    if (key == NULL) return NULL;
    (void)snprintf(key, size, "%d/%s", (int)split, name);
    void **slot = tni_strmap_add(&m->tries, key, strlen(key), &fresh);
    if (slot != NULL && fresh) *slot = TNI_NEW(arena, unsigned);
    return slot != NULL ? *slot : NULL;
}

static tn_status make(const char **out, taken_names *taken, const char *name,
                      uint32_t split, const tni_names_rule *rule,
                      tni_arena *arena, tn_err *err)
{
    char *tried = clean(arena, name);
    unsigned *tries = NULL; /* of the images of this very name */
    while (tried != NULL) {
        char *key = key_of(&taken->scratch, split, tried, rule);
        bool fresh = false;
        if (key == NULL ||
            tni_strmap_add(&taken->keys, key, strlen(key), &fresh) == NULL)
            break;
        if (fresh) {
            *out = tried;
            return TN_OK;
        }
        const char *base = clean(arena, name);
        if (tries == NULL) tries = tries_of(taken, split, name);
        if (base == NULL || tries == NULL) break;
        const unsigned salt = (*tries)++;
        const size_t stem = tni_stem_len(base), size = strlen(base) + 16;
        tried = tni_arena_alloc(arena, size, 1);
        if (tried != NULL)
            (void)snprintf(tried, size, "%.*s_%08x%s", (int)stem, base,
                           (unsigned)hash_of(name, salt), base + stem);
    }
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

static tn_status make_all(const char **names, size_t *n_changed,
                          const tn_dataset *d, const tni_names_rule *rule,
                          taken_names *taken, tni_arena *arena, tn_err *err)
{
    for (uint32_t i = 0; i < d->images.n; i++) {
        const tni_image_row *r = tni_image_at(d, i);
        const tni_arena_mark mark = tni_arena_save(arena);
        const char *name = rule->endings ? with_ending(r, arena) : r->name;
        TN_TRY(make(&names[i], taken, name,
                    rule->merged ? TN_NONE : tni_first_split(r), rule, arena,
                    err));
        if (strcmp(names[i], r->name) != 0) {
            ++*n_changed;
        } else {
            names[i] = r->name;
            tni_arena_rewind(arena, mark);
        }
    }
    return TN_OK;
}

tn_status tni_names_make(const char ***out, size_t *n_changed,
                         const tn_dataset *d, const tni_names_rule *rule,
                         tni_arena *arena, tn_err *err)
{
    taken_names taken;
    tni_arena_init(&taken.scratch, arena->mem, 1 << 14);
    tni_strmap_init(&taken.keys, &taken.scratch);
    tni_strmap_init(&taken.tries, &taken.scratch);
    *n_changed = 0;
    *out = TNI_NEW_ARRAY(arena, const char *, d->images.n + 1u);
    const tn_status status =
        *out != NULL ? make_all(*out, n_changed, d, rule, &taken, arena, err)
                     : tni_fail(err, TN_ENOMEM, "out of memory");
    tni_arena_fini(&taken.scratch);
    return status;
}
