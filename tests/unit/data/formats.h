/* SPDX-License-Identifier: Apache-2.0 */
/* formats.h - what the tests of dataset formats share */
#ifndef TN_TESTS_FORMATS_H
#define TN_TESTS_FORMATS_H

#include "dataset_testing.h"

static char path[TMP_PATH];

/* NULL when it is not taken; `err` says why. */
static inline tn_dataset *try_open(const char *format, const char *what)
{
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.format = format;
    memset(&err, 0, sizeof err);
    if (tn_dataset_open(&d, what, &o, &err) != TN_OK) return NULL;
    return d;
}

static inline tn_dataset *open_as(const char *format, const char *what)
{
    tn_dataset *d = try_open(format, what);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    return d;
}

/* A file of this name with this text, and no other in the folder. */
static inline tn_dataset *open_text(const char *format, const char *name,
                                    const char *text)
{
    tmp_write(dir, name, text, strlen(text));
    tmp_path(path, dir, name);
    return try_open(format, path);
}

/* Text that must be refused, saying this and the file. */
static inline void refused(const char *format, const char *name,
                           const char *text, const char *says)
{
    tn_dataset *d = open_text(format, name, text);
    if (d != NULL) fail_msg("taken: %s", text);
    if (strstr(err.message, says) == NULL)
        fail_msg("%s gave: %s", text, err.message);
    if (strstr(err.where, name) == NULL)
        fail_msg("%s gave no file: %s", text, err.where);
}

static inline const char *class_of(const tn_dataset *d, size_t ann)
{
    tn_class_row row = TN_CLASS_ROW_INIT;
    if (ann_of(d, ann).class_index == TN_NONE) return "";
    assert_int_equal(tn_dataset_class(d, ann_of(d, ann).class_index, &row),
                     TN_OK);
    return row.name;
}

static inline void shape_of(const tn_dataset *d, size_t ann, tn_shape *s)
{
    if (tn_dataset_shape(d, ann, s, &err) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
}

static inline void assert_box(const tn_dataset *d, size_t ann, double x1,
                              double y1, double x2, double y2)
{
    double b[4] = {0, 0, 0, 0};
    assert_true(tn_dataset_box(d, ann, b));
    const double want[4] = {x1, y1, x2, y2};
    for (int i = 0; i < 4; i++)
        if (!(b[i] - want[i] < 1e-9 && want[i] - b[i] < 1e-9))
            fail_msg("annotation %zu: %.17g %.17g %.17g %.17g", ann, b[0], b[1],
                     b[2], b[3]);
}

static inline void assert_text(tn_bytes t, const char *want)
{
    if (t.data == NULL || t.size != strlen(want) ||
        memcmp(t.data, want, t.size) != 0)
        fail_msg("'%.*s' instead of '%s'", (int)t.size,
                 t.data != NULL ? t.data : "", want);
}

/* Whether the reader noted this code; how often. */
static inline uint64_t noted(const tn_dataset *d, const char *code)
{
    tn_note note = TN_NOTE_INIT;
    for (size_t i = 0; tn_dataset_note(d, i, &note) == TN_OK; i++)
        if (strcmp(note.code, code) == 0) return note.count;
    return 0;
}

/* Converts to "format" or "format:variant"; the losses met, "code,code", go to
 * `lost` (may be NULL). */
static inline tn_status convert(const tn_dataset *d, const char *to,
                                const char *format, const char *allow,
                                char lost[400])
{
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    tn_conversion_info info = TN_CONVERSION_INFO_INIT;
    tn_loss loss = TN_LOSS_INIT;
    char name[60];
    (void)snprintf(name, sizeof name, "%s", format);
    char *colon = strchr(name, ':');
    if (colon != NULL) *colon = '\0';
    o.format = name;
    o.variant = colon != NULL ? colon + 1 : NULL;
    o.allow_loss = allow;
    memset(&err, 0, sizeof err);
    const tn_status status = tn_dataset_convert(&c, d, to, &o, &err);
    if (lost != NULL) lost[0] = '\0';
    for (size_t i = 0;
         lost != NULL && c != NULL && tn_conversion_loss(c, i, &loss) == TN_OK;
         i++) {
        const size_t n = strlen(lost);
        (void)snprintf(lost + n, 400 - n, "%s%s", n > 0 ? "," : "", loss.code);
    }
    if (status == TN_OK) {
        tn_conversion_get_info(c, &info);
        assert_int_equal(info.verified, 1);
    }
    tn_conversion_free(c);
    return status;
}

static inline void must_convert(const tn_dataset *d, const char *to,
                                const char *format, const char *allow)
{
    char lost[400];
    if (convert(d, to, format, allow, lost) != TN_OK)
        fail_msg("%s: %s (%s)", err.where, err.message, lost);
}

/* The bytes of a file, terminated; free() it. */
static inline char *bytes_of(const char *folder, const char *name, size_t *size)
{
    char file[2 * TMP_PATH];
    (void)snprintf(file, sizeof file, "%s/%s", folder, name);
    FILE *f = fopen(file, "rb");
    if (f == NULL) fail_msg("no file %s", file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    *size = fread(text, 1, (1 << 20) - 1, f);
    (void)fclose(f);
    return text;
}

static inline void same_file(const char *a, const char *name_a, const char *b,
                             const char *name_b)
{
    size_t na = 0, nb = 0;
    char *ta = bytes_of(a, name_a, &na), *tb = bytes_of(b, name_b, &nb);
    if (na != nb || memcmp(ta, tb, na) != 0) {
        size_t i = 0;
        while (i < na && i < nb && ta[i] == tb[i]) i++;
        fail_msg("%s differs at byte %zu:\n%.200s\ninstead of\n%.200s", name_a,
                 i, tb + i, ta + i);
    }
    free(ta);
    free(tb);
}

/* A file below `dir`, with the folders on its way. */
static inline void put(const char *name, const char *text)
{
    char folder[TMP_PATH];
    for (const char *p = strchr(name, '/'); p != NULL; p = strchr(p + 1, '/')) {
        (void)snprintf(folder, sizeof folder, "%.200s/%.*s", dir,
                       (int)(p - name), name);
        (void)mkdir(folder, 0777);
    }
    tmp_write(dir, name, text, strlen(text));
}

/* A shared fixture; false when it is not here. */
static inline bool shared(char file[1024], const char *name)
{
    (void)snprintf(file, 1024, "%s/datasets/%s", TEST_DATA, name);
    if (access(file, R_OK) == 0) return true;
    print_message("%s is not here\n", name);
    return false;
}

#endif
