/* SPDX-License-Identifier: Apache-2.0 */
/* formats.h - what the tests of dataset formats share */
#ifndef TN_TESTS_FORMATS_H
#define TN_TESTS_FORMATS_H

#include "dataset_testing.h"

#include <math.h>

static char path[TMP_PATH];

/* NULL, with err set, when it is refused. */
static inline tn_dataset *try_variant(const char *what, const char *format,
                                      const char *variant)
{
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.format = format;
    o.variant = variant;
    memset(&err, 0, sizeof err);
    return tn_dataset_open(&d, what, &o, &err) == TN_OK ? d : NULL;
}

static inline tn_dataset *try_open(const char *format, const char *what)
{
    return try_variant(what, format, NULL);
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

/* The note of this code, NULL: none. */
static inline const char *note_of(const tn_dataset *d, const char *code,
                                  uint64_t *count)
{
    tn_note n = TN_NOTE_INIT;
    for (size_t i = 0; tn_dataset_note(d, i, &n) == TN_OK; i++)
        if (strcmp(n.code, code) == 0) {
            if (count != NULL) *count = n.count;
            return n.message;
        }
    return NULL;
}

/* Whether the reader noted this code; how often. */
static inline uint64_t noted(const tn_dataset *d, const char *code)
{
    uint64_t count = 0;
    (void)note_of(d, code, &count);
    return count;
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

static inline tn_dataset *open_variant(const char *what, const char *format,
                                       const char *variant)
{
    tn_dataset *d = try_variant(what, format, variant);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    return d;
}

/* "name" in the scratch folder; the folder itself when it is empty. */
static inline tn_dataset *open_here(const char *name, const char *format,
                                    const char *variant)
{
    tmp_path(path, dir, name);
    return open_variant(name[0] != '\0' ? path : dir, format, variant);
}

static inline void is_refused(const char *name, const char *format,
                              const char *variant, const char *says)
{
    tmp_path(path, dir, name);
    tn_dataset *d = try_variant(name[0] != '\0' ? path : dir, format, variant);
    if (d != NULL) fail_msg("taken, expected: %s", says);
    if (strstr(err.message, says) == NULL)
        fail_msg("expected '%s', found: %s: %s", says, err.where, err.message);
    assert_non_null(strstr(err.where, dir));
}

static inline void has(const tn_dataset *d, size_t images, size_t annotations,
                       size_t classes)
{
    const tn_dataset_info info = info_of(d);
    if (info.n_images != images || info.n_annotations != annotations ||
        info.n_classes != classes)
        fail_msg("%s: %zu images, %zu annotations, %zu classes", info.path,
                 info.n_images, info.n_annotations, info.n_classes);
}

static inline const char *class_name(const tn_dataset *d, size_t i)
{
    tn_class_row row = TN_CLASS_ROW_INIT;
    assert_int_equal(tn_dataset_class(d, i, &row), TN_OK);
    return row.name;
}

static inline void has_box(const tn_dataset *d, size_t i, double x1, double y1,
                           double x2, double y2)
{
    double b[4];
    assert_true(tn_dataset_box(d, i, b));
    if (fabs(b[0] - x1) > 1e-6 || fabs(b[1] - y1) > 1e-6 ||
        fabs(b[2] - x2) > 1e-6 || fabs(b[3] - y2) > 1e-6)
        fail_msg("the box of %zu is %g %g %g %g", i, b[0], b[1], b[2], b[3]);
}

static inline int has_text(tn_bytes t, const char *s)
{
    return t.data != NULL && t.size == strlen(s) &&
           memcmp(t.data, s, t.size) == 0;
}

/* Everything that the rows of two datasets say, coordinates within 1e-6. */
static inline void same(const tn_dataset *a, const tn_dataset *b)
{
    const tn_dataset_info ia = info_of(a), ib = info_of(b);
    assert_int_equal(ia.n_splits, ib.n_splits);
    has(b, ia.n_images, ia.n_annotations, ia.n_classes);
    for (size_t i = 0; i < ia.n_classes; i++)
        assert_string_equal(class_name(a, i), class_name(b, i));
    for (size_t i = 0; i < ia.n_images; i++) {
        const tn_image_row x = image_of(a, i), y = image_of(b, i);
        assert_string_equal(x.name, y.name);
        assert_int_equal(x.state, y.state);
        assert_int_equal(x.splits, y.splits);
        for (int k = 0; k < TN_TEXT_COUNT; k++) {
            const tn_bytes s = tn_dataset_image_text(a, i, (tn_text)k, 0);
            const tn_bytes t = tn_dataset_image_text(b, i, (tn_text)k, 0);
            assert_int_equal(s.size, t.size);
            if (s.size > 0) assert_memory_equal(s.data, t.data, s.size);
        }
    }
    for (size_t i = 0; i < ia.n_annotations; i++) {
        const tn_annotation_row x = ann_of(a, i), y = ann_of(b, i);
        double u[4], v = 0.0, w = 0.0;
        assert_int_equal(x.image, y.image);
        assert_int_equal(x.class_index, y.class_index);
        assert_int_equal(x.flags, y.flags);
        if (tn_dataset_box(a, i, u)) has_box(b, i, u[0], u[1], u[2], u[3]);
        for (int k = 0; k < TN_NUM_COUNT; k++) {
            assert_int_equal(tn_dataset_num(a, i, (tn_num)k, &v),
                             tn_dataset_num(b, i, (tn_num)k, &w));
            assert_true(v == w);
        }
        for (int k = 0; k < TN_TEXT_COUNT; k++) {
            const tn_bytes s = tn_dataset_text(a, i, (tn_text)k, 0);
            const tn_bytes t = tn_dataset_text(b, i, (tn_text)k, 0);
            assert_int_equal(s.size, t.size);
            if (s.size > 0) assert_memory_equal(s.data, t.data, s.size);
        }
    }
}

/* Converts to "to" in the scratch folder; the losses must be `losses`. */
static inline void convert_here(const tn_dataset *d, const char *to,
                                const char *format, const char *variant,
                                const char *losses)
{
    char name[60], found[400];
    tmp_path(path, dir, to);
    (void)snprintf(name, sizeof name, "%s%s%s", format,
                   variant != NULL ? ":" : "", variant != NULL ? variant : "");
    if (convert(d, path, name, losses, found) != TN_OK)
        fail_msg("%s: %s", err.where, err.message);
    if (strcmp(losses, "all") != 0) assert_string_equal(found, losses);
}

/* Not converted, and why. */
static inline void is_not_converted(const tn_dataset *d, const char *to,
                                    const char *format, const char *allow,
                                    const char *says)
{
    tmp_path(path, dir, to);
    assert_int_not_equal(convert(d, path, format, allow, NULL), TN_OK);
    if (strstr(err.message, says) == NULL)
        fail_msg("expected '%s', found: %s", says, err.message);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* The bytes of a file of the scratch folder. */
static inline void file_is(const char *name, const char *text)
{
    char found[8192];
    tmp_path(path, dir, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) fail_msg("no file %s", name);
    const size_t n = fread(found, 1, sizeof found - 1, f);
    found[n] = '\0';
    (void)fclose(f);
    assert_string_equal(found, text);
}

/* A dataset of the shared test data; NULL, with a message, when absent. */
static inline tn_dataset *open_shared(const char *name, const char *format)
{
    char file[1024];
    if (!shared(file, name)) return NULL;
    return open_variant(file, format, NULL);
}

typedef struct shared_row {
    const char *name;
    size_t images, annotations, classes;
} shared_row;

/* Counts that another program, or a person, made; skips when none is here. */
static inline void check_shared(const shared_row *rows, size_t n,
                                const char *format)
{
    int found = 0;
    for (size_t i = 0; i < n; i++) {
        tn_dataset *d = open_shared(rows[i].name, format);
        if (d == NULL) continue;
        has(d, rows[i].images, rows[i].annotations, rows[i].classes);
        tn_dataset_close(d);
        found++;
    }
    if (found == 0) skip();
}

#endif
