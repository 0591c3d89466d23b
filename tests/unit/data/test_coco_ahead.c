/* SPDX-License-Identifier: Apache-2.0 */
/* test_coco_ahead.c - long lists of annotations are read the same by any number
 * of threads: rows, notes, and what is wrong with them */
#define _XOPEN_SOURCE 700
#include "formats.h"

enum { SIZE = 4 << 20, N_IMAGES = 500, N_ANNS = 5000 };

static char text[SIZE];
static size_t length;

typedef enum look {
    PLAIN = 0,
    TRICKY = 1 << 0,   /* texts that look like the space between annotations */
    NAMES = 1 << 1,    /* ids are texts */
    PANOPTIC = 1 << 2, /* lists of segments */
    FIRST = 1 << 3,    /* annotations before images */
    ORPHANS = 1 << 4,  /* images and categories that are not there */
    LINES = 1 << 5     /* white space around everything */
} look;

static void print(const char *fmt, ...) TN_PRINTF(1, 2);

static void print(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    length += (size_t)vsnprintf(text + length, SIZE - length, fmt, args);
    va_end(args);
    assert_true(length < SIZE);
}

static void put_annotation(int i, unsigned how)
{
    const char *space = (how & LINES) != 0 ? "\n  " : "";
    const char *mark = (how & NAMES) != 0 ? "\"" : "";
    const int image =
        (how & ORPHANS) != 0 && i % 97 == 5 ? 999999 : i * 7 % N_IMAGES;
    print("%s%s{\"id\": %d, \"image_id\": %s%d%s", i > 0 ? "," : "", space, i,
          mark, image, mark);
    if ((how & PANOPTIC) != 0) {
        print(",%s\"file_name\": \"%d.png\", \"segments_info\": [", space, i);
        for (int k = 0; k < 4; k++)
            print("%s{\"id\": %d, \"category_id\": 3, \"area\": %d, \"bbox\": "
                  "[1, 2, 3, %d]}",
                  k > 0 ? ", " : "", k + 1, i, i % 5);
        print("]}");
        return;
    }
    print(", \"category_id\": %d, \"bbox\": [%d.25, 2, 30, 4.5], \"area\": %d",
          (how & ORPHANS) != 0 && i % 89 == 7 ? 1000 + i % 3 : 3 + i % 2,
          i % 40, i % 7 == 0 ? 135 : 17);
    if (i % 3 != 0) {
        print(", \"segmentation\": [[");
        for (int k = 0; k < 12 + i % 30; k++)
            print("%s%d.5, %d", k > 0 ? ", " : "", (k * 31 + i) % 400, k);
        print("]]");
    }
    if (i % 11 == 0) print(", \"score\": 0.%d", i % 10);
    if (i % 13 == 0) print(", \"iscrowd\": %d", i % 2);
    if (i % 17 == 0) print(", \"keypoints\": [1, 2, 2], \"num_keypoints\": 1");
    if ((how & TRICKY) != 0)
        print(", \"note\": \"}, {\\\"id\\\": 1}, {\", \"more\": [{\"a\": 1}, "
              "{\"b\": \"%d\"}]",
              i);
    print("%s}", space);
}

static void put_annotations(unsigned how)
{
    print("\"annotations\": [");
    for (int i = 0; i < N_ANNS; i++) put_annotation(i, how);
    print("%s]", (how & LINES) != 0 ? "\n" : "");
}

static void put_source(unsigned how)
{
    length = 0;
    print("{");
    if ((how & FIRST) != 0) {
        put_annotations(how);
        print(", ");
    }
    print(
        "\"categories\": [{\"id\": 3, \"name\": \"a\"}, {\"id\": 4, \"name\": "
        "\"b\"}], \"images\": [");
    for (int i = 0; i < N_IMAGES; i++)
        print("%s{\"id\": %s%d%s, \"file_name\": \"%d.jpg\", \"width\": 640, "
              "\"height\": 480}",
              i > 0 ? "," : "", (how & NAMES) != 0 ? "\"" : "", i,
              (how & NAMES) != 0 ? "\"" : "", i);
    print("]");
    if ((how & FIRST) == 0) {
        print(", ");
        put_annotations(how);
    }
    print(", \"info\": {\"list\": [{\"a\": 1}, {\"a\": 2}]}}");
    assert_true(length > 1 << 20); /* else it would not be cut */
}

/* One thread is asked first: it writes the file. */
static tn_status read_with(tn_dataset **d, int n_threads)
{
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    if (n_threads == 1) tmp_write(dir, "x.json", text, length);
    tmp_path(path, dir, "x.json");
    o.n_threads = n_threads;
    o.format = "coco";
    memset(&err, 0, sizeof err);
    return tn_dataset_open(d, path, &o, &err);
}

static uint64_t add(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

static uint64_t add_text(uint64_t h, const char *s)
{
    return s != NULL ? add(h, s, strlen(s) + 1) : add(h, "?", 1);
}

/* Of everything an annotation has. */
static uint64_t add_ann(uint64_t h, const tn_dataset *d, size_t i)
{
    tn_shape s = TN_SHAPE_INIT;
    const tn_annotation_row row = ann_of(d, i);
    h = add(h, &row.image, sizeof row.image);
    h = add(h, &row.class_index, sizeof row.class_index);
    h = add(h, &row.flags, sizeof row.flags);
    h = add(h, row.box, sizeof row.box);
    h = add(h, &row.id.number, sizeof row.id.number);
    h = add_text(h, row.id.text);
    h = add(h, &row.place.offset, sizeof row.place.offset);
    for (int k = 0; k < TN_NUM_COUNT; k++) {
        double v = -1.0;
        (void)tn_dataset_num(d, i, (tn_num)k, &v);
        h = add(h, &v, sizeof v);
    }
    for (int k = 0; k < TN_TEXT_COUNT; k++)
        for (size_t n = 0; n < 4; n++) {
            const tn_bytes t = tn_dataset_text(d, i, (tn_text)k, n);
            h = add(h, t.data != NULL ? t.data : "", t.size);
        }
    if ((row.flags & TN_HAS_SHAPE) != 0) {
        assert_int_equal(tn_dataset_shape(d, i, &s, &err), TN_OK);
        h = add(h, s.text.data, s.text.size);
    }
    tn_shape_fini(&s);
    return h;
}

static uint64_t digest_of(const tn_dataset *d)
{
    const tn_dataset_info info = info_of(d);
    uint64_t h = info.n_annotations;
    tn_note note = TN_NOTE_INIT;
    for (size_t i = 0; i < info.n_annotations; i++) h = add_ann(h, d, i);
    for (size_t i = 0; i < info.n_classes; i++) {
        tn_class_row row = TN_CLASS_ROW_INIT;
        assert_int_equal(tn_dataset_class(d, i, &row), TN_OK);
        h = add_text(h, row.name);
    }
    for (size_t i = 0; tn_dataset_note(d, i, &note) == TN_OK; i++) {
        h = add_text(add_text(h, note.code), note.message);
        h = add(h, &note.count, sizeof note.count);
        h = add(h, &note.place.offset, sizeof note.place.offset);
    }
    return h;
}

static void the_same_rows(void **state)
{
    (void)state;
    static const unsigned looks[] = {PLAIN,
                                     TRICKY,
                                     NAMES,
                                     PANOPTIC,
                                     FIRST,
                                     ORPHANS,
                                     LINES,
                                     LINES | TRICKY | ORPHANS | FIRST,
                                     FIRST | PANOPTIC | LINES};
    for (size_t k = 0; k < sizeof looks / sizeof looks[0]; k++) {
        uint64_t first = 0;
        put_source(looks[k]);
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            tn_dataset *d = NULL;
            if (read_with(&d, n_threads) != TN_OK) fail_msg("%s", err.message);
            const uint64_t h = digest_of(d);
            assert_int_equal(info_of(d).n_annotations,
                             N_ANNS * ((looks[k] & PANOPTIC) != 0 ? 4 : 1));
            tn_dataset_close(d);
            if (n_threads == 1) first = h;
            if (h != first)
                fail_msg("look %u: other rows with %d threads", looks[k],
                         n_threads);
        }
    }
}

/* What is wrong is said in the same words, of the same byte. */
static void the_same_errors(void **state)
{
    (void)state;
    static const struct {
        const char *find, *put; /* of one size */
    } wrong[] = {{"\"bbox\": [", "\"bbox\": {"},
                 {"\"area\": ", "\"area\":x"},
                 {", \"category_id\"", "; \"category_id\""},
                 {"\"image_id\": ", "\"image_id\":["},
                 {"},{", "},,"},
                 {"},{", "}]{"},
                 {"},{", "};{"}};
    put_source(PLAIN);
    for (size_t at = 70000; at < length; at += 511953)
        for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
            tn_dataset *d = NULL;
            char *p = strstr(text + at, wrong[k].find);
            const size_t n = strlen(wrong[k].find);
            if (p == NULL) continue;
            assert_int_equal(strlen(wrong[k].put), n);
            memcpy(p, wrong[k].put, n);
            if (read_with(&d, 1) != TN_EFORMAT)
                fail_msg("'%s': %s", wrong[k].put, err.message);
            const tn_err first = err;
            assert_int_equal(read_with(&d, 2), TN_EFORMAT);
            assert_string_equal(err.message, first.message);
            assert_string_equal(err.where, first.where);
            assert_int_equal(err.offset, first.offset);
            assert_int_equal(err.line, first.line);
            memcpy(p, wrong[k].find, n);
        }
}

/* The text may end anywhere. */
static void cut_short(void **state)
{
    (void)state;
    put_source(LINES);
    const size_t whole = length;
    for (size_t at = 600000; at < whole; at += 291043) {
        tn_dataset *d = NULL;
        length = at;
        assert_int_equal(read_with(&d, 1), TN_EFORMAT);
        const tn_err first = err;
        assert_int_equal(read_with(&d, 2), TN_EFORMAT);
        assert_string_equal(err.message, first.message);
        assert_int_equal(err.offset, first.offset);
    }
}

static tn_status open_ahead(void *ctx, const tn_allocator *allocator)
{
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.allocator = allocator;
    o.format = "coco";
    o.n_threads = *(const int *)ctx;
    const tn_status status = tn_dataset_open(&d, path, &o, NULL);
    tn_dataset_close(d);
    return status;
}

static void lack_of_memory(void **state)
{
    (void)state;
    int n_threads = 2;
    put_source(ORPHANS);
    tmp_write(dir, "x.json", text, length);
    tmp_path(path, dir, "x.json");
    oom_sweep(open_ahead, &n_threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(the_same_rows),
        IN_FOLDER(the_same_errors),
        IN_FOLDER(cut_short),
        IN_FOLDER(lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
