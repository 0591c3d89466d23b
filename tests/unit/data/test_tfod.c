/* SPDX-License-Identifier: Apache-2.0 */
/* test_tfod.c - TFRecord object detection: reading, traps, round trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include "base/inflate.h"
#include "data/sha256.h"
#include "data/tfrecord.h"
#include "tenon/image.h"

/* --- making records -------------------------------------------------------- */

typedef struct bytes {
    size_t n;
    uint8_t p[1 << 18];
} bytes;

static tni_mem mem;
static tni_arena arena;
static tni_example_out out;
static bytes file, image, mask;

static tn_status collect(void *ctx, const void *p, size_t n, tn_err *e)
{
    bytes *b = ctx;
    (void)e;
    assert_true(b->n + n <= sizeof b->p);
    memcpy(b->p + b->n, p, n);
    b->n += n;
    return TN_OK;
}

/* A PNG of 8 x 4 pixels, left half (with `all` the whole) of this value. */
static void paint(bytes *b, uint8_t value, bool all)
{
    uint8_t pixels[32];
    tn_image_view v = TN_IMAGE_VIEW_INIT;
    const tn_image_sink sink = {b, collect};
    for (size_t i = 0; i < 32; i++) pixels[i] = all || i % 8 < 4 ? value : 0;
    v.width = 8;
    v.height = 4;
    v.channels = 1;
    v.bits = 8;
    v.stride = 8;
    v.pixels = pixels;
    b->n = 0;
    assert_int_equal(tn_image_encode(&sink, "png", &v, &err), TN_OK);
}

static int begin(void **state)
{
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 4096);
    tni_example_out_init(&out, &arena);
    file.n = 0;
    paint(&image, 77, true);
    paint(&mask, 1, false);
    return set_up(state);
}

static int finish(void **state)
{
    tni_arena_fini(&arena);
    return tear_down(state);
}

#define IN(f) cmocka_unit_test_setup_teardown(f, begin, finish)

static void text(const char *key, const char *value)
{
    const tni_bytes b = {(const uint8_t *)value, strlen(value)};
    tni_example_out_bytes(&out, key, &b, 1);
}

static void texts(const char *key, const char *a, const char *b)
{
    const tni_bytes list[2] = {{(const uint8_t *)a, strlen(a)},
                               {(const uint8_t *)b, strlen(b)}};
    tni_example_out_bytes(&out, key, list, 2);
}

static void blob(const char *key, const bytes *value)
{
    const tni_bytes b = {value->p, value->n};
    tni_example_out_bytes(&out, key, &b, 1);
}

static void ints(const char *key, size_t n, int64_t a, int64_t b)
{
    const int64_t v[2] = {a, b};
    tni_example_out_ints(&out, key, v, n);
}

static void floats(const char *key, size_t n, float a, float b)
{
    const float v[2] = {a, b};
    tni_example_out_floats(&out, key, v, n);
}

static void boxes(size_t n)
{
    floats("image/object/bbox/xmin", n, 0.25f, 0);
    floats("image/object/bbox/xmax", n, 0.5f, 1);
    floats("image/object/bbox/ymin", n, 0.5f, 0.25f);
    floats("image/object/bbox/ymax", n, 0.75f, 1);
}

static void named(const char *name)
{
    text("image/filename", name);
    ints("image/width", 1, 8, 0);
    ints("image/height", 1, 4, 0);
}

static void end_record(void)
{
    tni_bytes message;
    const tni_byte_sink sink = {&file, collect};
    assert_int_equal(tni_example_out_end(&out, &message, &err), TN_OK);
    assert_int_equal(tni_tfrecord_put(&sink, message.p, message.size, &err),
                     TN_OK);
    tni_example_out_init(&out, &arena);
}

static void save(const char *name)
{
    char top[TMP_PATH];
    put(name, "");
    (void)snprintf(top, sizeof top, "%.200s", dir);
    tmp_write(top, name, file.p, file.n);
    file.n = 0;
}

static tn_dataset *open_record(void)
{
    end_record();
    save("x.tfrecord");
    tmp_path(path, dir, "x.tfrecord");
    return open_as("tfrecord", path);
}

static void refuses(const char *says)
{
    end_record();
    save("x.tfrecord");
    tmp_path(path, dir, "x.tfrecord");
    tn_dataset *d = try_open("tfrecord", path);
    if (d != NULL) fail_msg("taken, expected: %s", says);
    if (strstr(err.message, says) == NULL)
        fail_msg("expected '%s', found: %s", says, err.message);
    assert_non_null(strstr(err.where, "x.tfrecord"));
    tni_example_out_init(&out, &arena);
}

/* --- reading --------------------------------------------------------------- */

static const char label_map[] = "# classes\n"
                                "item {\n  id: 3\n  name: 'cat'\n}\n"
                                "item: <\n name: \"/m/01\" \"x\", id: 1;\n"
                                " display_name: 'D\\'og\\n\\303\\274' >\n"
                                "item { name: 'Z' id: 7 keypoints { id: 5 "
                                "label: 'nose' } keypoints { label: 'tail' } "
                                "ancestor_ids: ['a', 'b'] frequency: RARE }\n";

/* Everything the API knows, and what nobody does. */
static void make_full(void)
{
    static const float x[4] = {0.125f, 0.25f, 0, 0}, y[4] = {0.5f, 1, 0, 0};
    static const int64_t v[4] = {2, 1, 0, 0};
    const tni_bytes pngs[2] = {{mask.p, mask.n}, {mask.p, 0}};
    put("label_map.pbtxt", label_map);
    named("a.png");
    text("image/source_id", "42");
    blob("image/encoded", &image);
    text("image/format", "png");
    boxes(2);
    texts("image/object/class/text", "Z", "cat");
    ints("image/object/class/label", 2, 7, 3);
    ints("image/object/difficult", 2, 1, 0);
    ints("image/object/truncated", 2, 0, 1);
    ints("image/object/occluded", 2, 1, 1);
    ints("image/object/is_crowd", 2, 0, 1);
    floats("image/object/area", 2, 2.0f, 5.5f);
    texts("image/object/view", "Left", "");
    floats("image/object/weight", 2, 1, 0.5f);
    ints("image/object/rank", 2, -4, 9);
    ints("image/object/track/label", 2, 5, 6);
    tni_example_out_bytes(&out, "image/object/mask", pngs, 2);
    tni_example_out_floats(&out, "image/object/keypoint/x", x, 4);
    tni_example_out_floats(&out, "image/object/keypoint/y", y, 4);
    tni_example_out_ints(&out, "image/object/keypoint/visibility", v, 4);
    ints("image/object/keypoint/num", 2, 2, 0);
    texts("image/class/text", "cat", "/m/01x");
    ints("image/class/label", 2, 3, 1);
    floats("image/class/confidence", 2, 1, 0);
    text("image/caption", "a \"cat\"");
    text("image/camera", "left");
    end_record();
    named("none.png");
    blob("image/encoded", &image);
    boxes(0);
    end_record();
    named("unknown.png");
    blob("image/encoded", &image);
    end_record();
    save("train.tfrecord");
}

static void look_at_full(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    double v = 0;
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 5);
    assert_int_equal(info_of(d).n_classes, 3);
    assert_string_equal(tn_dataset_split(d, 0), "train");
    assert_int_equal(image_of(d, 0).id.number, 42);
    assert_int_equal(image_of(d, 0).raw_width, 8);
    assert_null(image_of(d, 0).file);
    assert_int_equal(tn_dataset_image_bytes(d, 0).size, image.n);
    assert_memory_equal(tn_dataset_image_bytes(d, 0).data, image.p, image.n);
    assert_null(tn_dataset_image_bytes(d, 9).data);
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_int_equal(image_of(d, 2).state, TN_STATE_UNKNOWN);
    assert_box(d, 0, 2, 2, 4, 3);
    assert_string_equal(class_of(d, 0), "Z");
    assert_int_equal(ann_of(d, 0).flags & (TN_IS_DIFFICULT | TN_IS_TRUNCATED |
                                           TN_IS_OCCLUDED | TN_IS_CROWD),
                     TN_IS_DIFFICULT | TN_IS_OCCLUDED);
    assert_int_equal(ann_of(d, 1).flags & (TN_IS_DIFFICULT | TN_IS_TRUNCATED |
                                           TN_IS_OCCLUDED | TN_IS_CROWD),
                     TN_IS_TRUNCATED | TN_IS_OCCLUDED | TN_IS_CROWD);
    assert_false(tn_dataset_num(d, 0, TN_NUM_AREA, &v)); /* its box's */
    assert_true(tn_dataset_num(d, 1, TN_NUM_AREA, &v) && v == 5.5);
    assert_true(tn_dataset_num(d, 1, TN_NUM_TRACK, &v) && v == 6);
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0), "\"view\": \"Left\"");
    assert_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 1), "\"weight\": 0.5");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 1), "\"weight\": 1.0");
    assert_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 2), "\"rank\": -4");
    shape_of(d, 0, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_int_equal(s.runs[1], 16);
    assert_int_equal(tn_dataset_shape_kind(d, 1), TN_SHAPE_NONE);
    assert_int_equal(tn_dataset_keypoints(d, 0, &s, &err), TN_OK);
    assert_true(s.n_points == 2 && s.xy[0] == 1 && s.xy[3] == 4);
    assert_int_equal(s.visible[1], 1);
    tn_shape_fini(&s);
    assert_int_equal(ann_of(d, 2).flags & (TN_IS_TAG | TN_IS_NEGATIVE),
                     TN_IS_TAG);
    assert_int_equal(ann_of(d, 3).flags & (TN_IS_TAG | TN_IS_NEGATIVE),
                     TN_IS_TAG | TN_IS_NEGATIVE);
    assert_text(tn_dataset_text(d, 4, TN_TEXT_CAPTION, 0), "\"a \\\"cat\\\"\"");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"image/camera\": \"left\"");
    assert_string_equal(tn_dataset_keypoint_name(d, 2, 1), "tail");
}

static void reads_everything(void **state)
{
    (void)state;
    make_full();
    tn_dataset *d = open_as(NULL, dir);
    assert_string_equal(info_of(d).format, "tfrecord");
    assert_string_equal(info_of(d).variant, "masks");
    look_at_full(d);
    assert_int_equal(noted(d, "label-map-field"), 2);
    tn_dataset_close(d);
}

static void round_trip_is_the_same(void **state)
{
    (void)state;
    char to[TMP_PATH], again[TMP_PATH];
    make_full();
    tn_dataset *d = open_as(NULL, dir);
    tmp_path(to, dir, "out");
    must_convert(d, to, "tfrecord", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    look_at_full(d);
    tmp_path(again, dir, "again");
    must_convert(d, again, "tfrecord", "all");
    tn_dataset_close(d);
    same_file(to, "train.tfrecord", again, "train.tfrecord");
    same_file(to, "label_map.pbtxt", again, "label_map.pbtxt");
}

static void golden(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_as(NULL, GOLDEN "tfrecord");
    assert_int_equal(info_of(d).n_images, 3);
    assert_int_equal(info_of(d).n_annotations, 5);
    tmp_path(to, dir, "out");
    must_convert(d, to, "tfrecord", NULL);
    tn_dataset_close(d);
    same_file(GOLDEN "tfrecord", "train.tfrecord", to, "train.tfrecord");
    same_file(GOLDEN "tfrecord", "label_map.pbtxt", to, "label_map.pbtxt");
}

/* --- classes --------------------------------------------------------------- */

/* Label 0 is the background, a text may be missing, the text holds. */
static void label_traps(void **state)
{
    (void)state;
    put("label_map.pbtxt", label_map);
    named("a.png");
    boxes(2);
    texts("image/object/class/text", "", "");
    ints("image/object/class/label", 2, 0, 3);
    end_record();
    named("b.png");
    boxes(2);
    ints("image/object/class/label", 2, 1, 99);
    end_record();
    named("c.png");
    boxes(2);
    texts("image/object/class/text", "D'og\n\xc3\xbc", "new");
    end_record();
    named("d.png");
    boxes(2);
    texts("image/object/class/text", "cat", "cat");
    ints("image/object/class/label", 2, 7, 0);
    tn_dataset *d = open_record();
    assert_int_equal(ann_of(d, 0).class_index, TN_NONE);
    assert_string_equal(class_of(d, 1), "cat");
    assert_string_equal(class_of(d, 2), "/m/01x");
    assert_string_equal(class_of(d, 3), "99");
    assert_string_equal(class_of(d, 4), "/m/01x"); /* by its display name */
    assert_string_equal(class_of(d, 5), "new");
    assert_string_equal(class_of(d, 6), "cat");
    assert_string_equal(class_of(d, 7), "cat");
    assert_int_equal(noted(d, "no-class"), 1);
    assert_int_equal(noted(d, "orphan-class"), 1);
    assert_int_equal(noted(d, "not-in-label-map"), 1);
    assert_int_equal(noted(d, "label-mismatch"), 1);
    tn_dataset_close(d);
}

/* Without a label map: by label, and a number gets its name when one comes. */
static void classes_without_a_map(void **state)
{
    (void)state;
    named("a.png");
    boxes(2);
    ints("image/object/class/label", 2, 2, 1);
    end_record();
    named("b.png");
    boxes(2);
    texts("image/object/class/text", "apple", "zebra");
    ints("image/object/class/label", 2, 2, 1);
    end_record();
    named("c.png");
    boxes(1);
    text("image/object/class/text", "no");
    tn_dataset *d = open_record();
    assert_int_equal(info_of(d).n_classes, 3);
    assert_string_equal(class_of(d, 0), "apple");
    assert_string_equal(class_of(d, 1), "zebra");
    tn_class_row row = TN_CLASS_ROW_INIT;
    assert_int_equal(tn_dataset_class(d, 0, &row), TN_OK);
    assert_string_equal(row.name, "zebra");
    assert_int_equal(row.id.number, 1);
    assert_int_equal(tn_dataset_class(d, 2, &row), TN_OK);
    assert_string_equal(row.name, "no");
    assert_int_equal(row.id.kind, TN_ID_NONE);
    tn_dataset_close(d);
}

static void class_names_survive(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "no",
                                        "1",
                                        "a: b",
                                        "M\\u00fcnchen",
                                        "x ",
                                        "\\ud83d\\ude00",
                                        "\\\"q\\\\'",
                                        "\\u0007\\u007f"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char json[600], to[TMP_PATH];
        tn_class_row a = TN_CLASS_ROW_INIT, b = TN_CLASS_ROW_INIT;
        (void)snprintf(
            json, sizeof json,
            "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 9, "
            "\"height\": 9}], \"annotations\": [{\"id\": 1, \"image_id\": 1, "
            "\"category_id\": 0, \"bbox\": [1, 2, 3, 4]}], \"categories\": "
            "[{\"id\": 0, \"name\": \"%s\"}]}",
            names[i]);
        tn_dataset *d = open_text("coco", "x.json", json), *back;
        assert_non_null(d);
        (void)snprintf(to, sizeof to, "%.400s/out%zu", dir, i);
        must_convert(d, to, "tfrecord", "all");
        back = open_as("tfrecord", to);
        assert_int_equal(tn_dataset_class(d, 0, &a), TN_OK);
        assert_int_equal(tn_dataset_class(back, 0, &b), TN_OK);
        assert_string_equal(a.name, b.name);
        assert_int_equal(ann_of(back, 0).class_index, 0);
        tn_dataset_close(back);
        tn_dataset_close(d);
    }
}

static void refuses_broken_label_maps(void **state)
{
    (void)state;
    static const struct {
        const char *map, *says;
    } cases[] = {
        {"item { id: 1 }", "neither 'name' nor 'display_name'"},
        {"item { name: 'a' }", "an item has no 'id'"},
        {"item { id: x name: 'a' }", "no whole number of 32 bits"},
        {"item { id: 99999999999 name: 'a' }", "no whole number of 32 bits"},
        {"item { id: 1 name: a }", "a text in quotes"},
        {"item { id: 1 name: 'a }", "without its closing quote"},
        {"item { id: 1 name: 'a\\q' }", "an escape that is none"},
        {"item { id: 1 name: 'a\\0' }", "an escape that is none"},
        {"item { id: 1 name: 'a'", "ends inside an item"},
        {"item { id 1 }", "expected ':' or '{'"},
        {"item { id: 1 name: 'a' x: [ ", "ends inside an item"},
        {"item { id: 1 name: 'a' x: ] }", "closes nothing"},
        {"item { id: 1 name: 'a' keypoints: 3 }", "behind 'keypoints'"},
        {"item { id: 1 name: 'a' keypoints { id: 1 } }", "has no 'label'"},
        {"item: 3", "behind 'item'"},
        {"thing { }", "this is no label map"},
        {"{", "expected the name of a field"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        named("a.png");
        end_record();
        save("x.tfrecord");
        put("label_map.pbtxt", cases[i].map);
        tmp_path(path, dir, "x.tfrecord");
        assert_null(try_open("tfrecord", path));
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s gave: %s", cases[i].map, err.message);
        assert_non_null(strstr(err.where, "label_map.pbtxt, line 1"));
    }
}

static void several_label_maps(void **state)
{
    (void)state;
    put("train_label_map.pbtxt", "item { id: 1 name: 'of train' }");
    put("label_map.pbtxt", "item { id: 1 name: 'of others' }\n"
                           "item { id: 1 name: 'again' }");
    for (int i = 0; i < 2; i++) {
        named("a.png");
        boxes(1);
        ints("image/object/class/label", 1, 1, 0);
        end_record();
        save(i == 0 ? "train.record" : "val.record");
    }
    tn_dataset *d = open_as(NULL, dir);
    assert_string_equal(class_of(d, 0), "of train");
    assert_string_equal(class_of(d, 1), "of others");
    assert_int_equal(noted(d, "duplicate-class-id"), 1);
    tn_dataset_close(d);
    put("b_label.pbtxt", "");
    put("c_label.pbtxt", "");
    char gone[TMP_PATH];
    tmp_path(gone, dir, "label_map.pbtxt");
    (void)remove(gone);
    d = open_as("tfrecord", dir);
    assert_int_equal(noted(d, "several-label-maps"), 1);
    tn_dataset_close(d);
}

/* --- files ----------------------------------------------------------------- */

static void splits_from_names(void **state)
{
    (void)state;
    static const struct {
        const char *file, *split;
    } cases[] = {
        {"train.tfrecord", "train"},
        {"coco_val.record", "val"},
        {"train2017-00000-of-00001.tfrecord", "train2017"},
        {"test-00000-of-00001", "test"},
        {"Raccoon.record-00000-of-00001", NULL},
        {"VALID.TFRECORD", "VALID"},
        {"valid/odd.tfrecord", "valid"},
        {"part one/odd.tfrecord", "part one"},
        {"records/dev.tfrecords", "dev"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        named("a.png");
        end_record();
        save(cases[i].file);
        tn_dataset *d = open_as("tfrecord", dir);
        if (cases[i].split == NULL)
            assert_int_equal(image_of(d, 0).splits, 0);
        else
            assert_string_equal(tn_dataset_split(d, 0), cases[i].split);
        tn_dataset_close(d);
        char gone[TMP_PATH];
        tmp_path(gone, dir, cases[i].file);
        assert_int_equal(remove(gone), 0);
    }
}

static void shards(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    for (int i = 0; i < 5; i++) {
        char name[20];
        (void)snprintf(name, sizeof name, "%d.png", i);
        named(name);
        blob("image/encoded", &image);
        end_record();
    }
    save("in/train.tfrecord");
    tmp_path(path, dir, "in");
    tn_dataset *d = open_as(NULL, path);
    o.format = "tfrecord";
    o.shard_images = 2;
    tmp_path(to, dir, "out");
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    tn_dataset *back = open_as(NULL, to);
    assert_int_equal(info_of(back).n_images, 5);
    assert_string_equal(image_of(back, 4).name, "4.png");
    assert_int_equal(noted(back, "missing-shards"), 0);
    tn_dataset_close(back);
    char gone[TMP_PATH];
    tmp_path(gone, to, "train-00001-of-00003.tfrecord");
    assert_int_equal(remove(gone), 0);
    back = open_as(NULL, to);
    assert_int_equal(info_of(back).n_images, 3);
    assert_int_equal(noted(back, "missing-shards"), 1);
    tn_dataset_close(back);
    o.shard_images = 0;
    o.shard_bytes = 2 * image.n + 1;
    tmp_path(to, dir, "bytes");
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    tmp_path(gone, to, "train-00002-of-00003.tfrecord");
    assert_int_equal(access(gone, R_OK), 0);
    tn_dataset_close(d);
}

/* gzip of one stored block. */
static void zip(const char *name, bool spoil)
{
    static bytes z;
    const uint8_t head[10] = {0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3};
    const uint32_t crc = tni_crc32(0, file.p, file.n) ^ (spoil ? 1u : 0u);
    const uint16_t n = (uint16_t)file.n, m = (uint16_t)~n;
    z.n = 0;
    memcpy(z.p, head, 10);
    memcpy(z.p + 10, "x.rec", 6);
    const uint8_t block[5] = {1, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)m,
                              (uint8_t)(m >> 8)};
    memcpy(z.p + 16, block, 5);
    memcpy(z.p + 21, file.p, file.n);
    z.n = 21 + file.n;
    for (int i = 0; i < 4; i++) z.p[z.n++] = (uint8_t)(crc >> 8 * i);
    for (int i = 0; i < 4; i++)
        z.p[z.n++] = (uint8_t)((uint32_t)file.n >> 8 * i);
    tmp_write(dir, name, z.p, z.n);
}

static void compressed(void **state)
{
    (void)state;
    named("a.png");
    blob("image/encoded", &image);
    boxes(2);
    end_record();
    zip("val.tfrecord.gz", false);
    tmp_path(path, dir, "val.tfrecord.gz");
    tn_dataset *d = open_as(NULL, path);
    assert_string_equal(tn_dataset_split(d, 0), "val");
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_int_equal(image_of(d, 0).raw_height, 4);
    tn_dataset_close(d);
    zip("val.tfrecord.gz", true);
    assert_null(try_open("tfrecord", path));
    assert_non_null(strstr(err.message, "checksum of the gzip stream"));
    static const uint8_t bad[3][24] = {
        {0x1f, 0x8b, 8, 0x80},
        {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 9, [20] = 1},
        {0x1f, 0x8b, 8, 0, [20] = 0xff, 0xff, 0xff, 0x7f},
    };
    static const char *const says[3] = {"a broken gzip header",
                                        "the gzip stream is damaged",
                                        "more than 24 can"};
    for (int i = 0; i < 3; i++) {
        tmp_write(dir, "val.tfrecord.gz", bad[i], 24);
        assert_null(try_open("tfrecord", path));
        if (strstr(err.message, says[i]) == NULL) fail_msg("%s", err.message);
    }
}

/* --- images ---------------------------------------------------------------- */

static void images_come_out_and_go_in(void **state)
{
    (void)state;
    char to[TMP_PATH];
    size_t n = 0;
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    named("sub/a.png");
    blob("image/encoded", &image);
    boxes(1);
    ints("image/object/class/label", 1, 1, 0);
    tn_dataset *d = open_record();
    tmp_path(to, dir, "coco");
    must_convert(d, to, "coco", NULL);
    char *out_file = bytes_of(to, "images/sub/a.png", &n);
    assert_int_equal(n, image.n);
    assert_memory_equal(out_file, image.p, n);
    free(out_file);
    tn_dataset_close(d);
    d = open_as("coco", to); /* and in again, from a file */
    assert_non_null(image_of(d, 0).file);
    tmp_path(to, dir, "records");
    must_convert(d, to, "tfrecord", "all");
    tn_dataset *back = open_as("tfrecord", to);
    assert_int_equal(tn_dataset_image_bytes(back, 0).size, image.n);
    assert_memory_equal(tn_dataset_image_bytes(back, 0).data, image.p, image.n);
    tn_dataset_close(back);
    /* Left where they are: records without images. */
    o.format = "tfrecord";
    o.images = TN_FILES_NONE;
    o.allow_loss = "all";
    tmp_path(to, dir, "bare");
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    back = open_as("tfrecord", to);
    assert_null(tn_dataset_image_bytes(back, 0).data);
    assert_int_equal(info_of(back).n_annotations, 1);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void names_of_images(void **state)
{
    (void)state;
    blob("image/encoded", &image);
    text("image/format", "raw");
    text("image/key/sha256", "0123");
    end_record();
    text("image/source_id", "7x");
    blob("image/encoded", &image);
    end_record();
    text("image/filename", "b.png");
    text("image/source_id", "b.png");
    end_record();
    text("image/filename", "c.png");
    text("image/source_id", "007");
    tn_dataset *d = open_record();
    assert_string_equal(image_of(d, 0).name, "x-00000001.png");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"image/format\": \"raw\"");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 1),
                "\"image/key/sha256\": \"0123\"");
    assert_string_equal(image_of(d, 1).name, "7x.png");
    assert_string_equal(image_of(d, 1).id.text, "7x");
    assert_int_equal(image_of(d, 2).id.kind, TN_ID_NONE);
    assert_string_equal(image_of(d, 3).id.text, "007");
    assert_int_equal(noted(d, "no-filename"), 1);
    assert_int_equal(noted(d, "no-extension"), 2);
    assert_int_equal(noted(d, "image-key"), 1);
    tn_dataset_close(d);
}

/* Names are the dataset's: they lead nowhere, read or written. */
static void no_name_leaves_the_folder(void **state)
{
    (void)state;
    char to[TMP_PATH];
    put("secret.png", "x");
    named("../secret.png");
    end_record();
    save("in/x.tfrecord");
    tmp_path(path, dir, "in");
    tn_dataset *d = open_as("tfrecord", path);
    assert_null(image_of(d, 0).file);
    tn_dataset_close(d);
    named("../../out.png");
    blob("image/encoded", &image);
    end_record();
    save("in/x.tfrecord");
    d = open_as("tfrecord", path);
    tmp_path(to, dir, "coco");
    must_convert(d, to, "coco", "all");
    tn_dataset_close(d);
    size_t n = 0;
    free(bytes_of(to, "images/out.png", &n));
    assert_int_equal(n, image.n);
}

static void odd_features(void **state)
{
    (void)state;
    const uint8_t raw[3] = {0xff, 0xfe, 0};
    const tni_bytes bad = {raw, 3};
    const float x[3] = {1, 2.5f, 3};
    named("a.png");
    boxes(1);
    tni_example_out_bytes(&out, "image/depth", &bad, 1);
    tni_example_out_floats(&out, "image/context_features", x, 3);
    tni_example_out_floats(&out, "image/object/mask", x, 3);
    floats("image/object/scores", 2, 2, 0); /* not one of each object */
    text("image/object/class/text", "c");
    text("image/note", "first");
    text("image/note", "last holds");
    tn_dataset *d = open_record();
    assert_int_equal(noted(d, "binary-feature"), 1);
    assert_int_equal(noted(d, "numerical-masks"), 1);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                "\"image/context_features\": [1.0, 2.5, 3.0]");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 1),
                "\"image/object/scores\": [2.0, 0.0]");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 2),
                "\"image/note\": \"last holds\"");
    tn_dataset_close(d);
}

/* --- broken records -------------------------------------------------------- */

static void refuses_broken_records(void **state)
{
    (void)state;
    const uint8_t nul[2] = {'a', 0}, bad[1] = {0xff};
    const tni_bytes with_nul = {nul, 2}, no_text = {bad, 1};
    const float three[3] = {0, 0, 0};
    text("other", "x");
    refuses("no feature that begins with 'image/' (its first: 'other')");
    ints("image/filename", 1, 1, 0);
    refuses("'image/filename' is a list of integers, expected bytes");
    texts("image/filename", "a", "b");
    refuses("'image/filename' has 2 values, expected 1");
    tni_example_out_bytes(&out, "image/filename", &with_nul, 1);
    refuses("expected the name of a file");
    ints("image/width", 1, -1, 0);
    refuses("'image/width' is -1, expected a number of pixels");
    boxes(2);
    floats("image/object/bbox/ymax", 1, 1, 0);
    refuses("'image/object/bbox/ymax' has 1 values, but "
            "'image/object/bbox/xmin' has 2");
    boxes(1);
    floats("image/object/bbox/xmin", 1, 0.0f / (float)err.line, 0);
    refuses("a coordinate of object 0 is no number");
    boxes(2);
    text("image/object/class/text", "a");
    refuses("'image/object/class/text' has 1 values, expected 2");
    boxes(1);
    tni_example_out_bytes(&out, "image/object/class/text", &no_text, 1);
    refuses("the name of a class is no text in UTF-8");
    boxes(2);
    tni_example_out_floats(&out, "image/object/keypoint/x", three, 3);
    refuses("has 3 values for 2 objects");
    boxes(1);
    tni_example_out_floats(&out, "image/object/keypoint/x", three, 3);
    refuses("no 'image/object/keypoint/y'");
    boxes(1);
    tni_example_out_floats(&out, "image/object/keypoint/x", three, 1);
    tni_example_out_floats(&out, "image/object/keypoint/y", three, 1);
    tni_example_out_bytes(&out, "image/object/keypoint/text", &no_text, 1);
    text("image/object/class/text", "c");
    refuses("the name of a keypoint is no text");
    tni_example_out_bytes(&out, "image/caption", &no_text, 1);
    refuses("a caption is no text in UTF-8");
    boxes(1);
    ints("image/width", 1, 9, 0);
    ints("image/height", 1, 4, 0);
    blob("image/object/mask", &mask);
    refuses("a mask of 8 x 4 pixels for an image of 9 x 4");
    boxes(1);
    text("image/object/mask", "no png");
    refuses("format");
    for (int i = 0; i < 4097; i++) text("image/x", "");
    refuses("more than 4096 features");
}

static void refuses_broken_files(void **state)
{
    (void)state;
    named("a.png");
    end_record();
    file.p[file.n - 1] ^= 1;
    save("x.tfrecord");
    tmp_path(path, dir, "x.tfrecord");
    assert_null(try_open("tfrecord", path));
    assert_non_null(strstr(err.message, "the checksum of a record of"));
    named("a.png");
    end_record();
    file.n -= 3;
    save("x.tfrecord");
    assert_null(try_open("tfrecord", path));
    assert_non_null(strstr(err.message, "cut short"));
    put("empty/readme.txt", "");
    tmp_path(path, dir, "empty");
    assert_null(try_open("tfrecord", path));
    assert_non_null(strstr(err.message, "no file of records"));
}

/* --- writing --------------------------------------------------------------- */

static const char coco[] =
    "{\"images\": [{\"id\": 5, \"file_name\": \"a.png\", \"width\": 8, "
    "\"height\": 4, \"license\": null}], \"annotations\": [{\"id\": 9, "
    "\"image_id\": 5, \"category_id\": 0, \"bbox\": [1, 1, 4, 2.5], \"area\": "
    "3.25, \"iscrowd\": 0, \"segmentation\": [[1, 1, 5, 1, 5, 3.5]], "
    "\"score\": 0.5, \"who\": [1], \"attributes\": {\"k\": true}}, {\"id\": "
    "10, \"image_id\": 5, \"category_id\": 0, \"bbox\": [0, 0, 4, 4], "
    "\"area\": 16, \"iscrowd\": 1, \"segmentation\": {\"counts\": [0, 16, "
    "16], \"size\": [4, 8]}}], \"categories\": [{\"id\": 0, \"name\": \"c\", "
    "\"supercategory\": \"s\"}], \"info\": {\"year\": 1}}";

static void coco_comes_back_by_the_residue(void **state)
{
    (void)state;
    char to[TMP_PATH], lost[400], back_to[TMP_PATH];
    tn_dataset *d = open_text("coco", "x.json", coco);
    assert_non_null(d);
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "tfrecord", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "polygons,attributes,unknown-fields,scores,"
                              "annotation-ids,supercategories,"
                              "image-fields,dataset-fields");
    must_convert(d, to, "tfrecord", "all");
    tn_dataset *back = open_as("tfrecord", to);
    tmp_path(back_to, dir, "again.json");
    must_convert(back, back_to, "coco", NULL);
    tn_dataset_close(back);
    tmp_path(to, dir, "straight.json");
    must_convert(d, to, "coco", NULL);
    tn_dataset_close(d);
    same_file(dir, "straight.json", dir, "again.json");
}

/* Of an outline a record keeps the mask; its box has 32 bits. */
static void outlines_are_drawn(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset *d = open_text("coco", "x.json", coco);
    tmp_path(to, dir, "out");
    must_convert(d, to, "tfrecord", "all");
    tn_dataset_close(d);
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.flags = TN_DATASET_NO_RESIDUE;
    assert_int_equal(tn_dataset_open(&d, to, &o, &err), TN_OK);
    shape_of(d, 0, &s);
    assert_int_equal(s.kind, TN_SHAPE_RLE);
    assert_true(s.n_runs > 1 && s.runs[1] > 0);
    shape_of(d, 1, &s);
    assert_int_equal(s.runs[1], 16);
    tn_shape_fini(&s);
    tn_dataset_close(d);
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text(
        "coco", "x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 9, "
        "\"height\": 9}], \"annotations\": [{\"id\": 1, \"image_id\": 1, "
        "\"category_id\": 1, \"bbox\": [0, 0, 1e5, 4]}], \"categories\": "
        "[{\"id\": 1, \"name\": \"c\"}]}");
    tmp_path(to, dir, "out");
    assert_int_equal(convert(d, to, "tfrecord", "all", NULL), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "too coarsely"));
    tn_dataset_close(d);
    d = open_text(
        "coco", "x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 9, "
        "\"height\": 9}], \"annotations\": [{\"id\": 1, \"image_id\": 1, "
        "\"category_id\": 1, \"bbox\": [0, 0, 1, 4], \"segmentation\": "
        "{\"counts\": [1, 3], \"size\": [2, 2]}}], \"categories\": [{\"id\": "
        "1, \"name\": \"c\"}]}");
    assert_int_equal(convert(d, to, "tfrecord", "all", NULL), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "has a mask of 2 x 2"));
    tn_dataset_close(d);
}

/* A record has its objects first, then classes of the image. */
static void order_of_kinds(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text(
        "coco", "x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 9, "
        "\"height\": 9}], \"annotations\": [{\"image_id\": 1, "
        "\"category_id\": 1}, {\"image_id\": 1, \"category_id\": 1, \"bbox\": "
        "[0, 0, 1, 4]}], \"categories\": [{\"id\": 1, \"name\": \"c\"}]}");
    assert_non_null(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "tfrecord", NULL);
    tn_dataset_close(d);
    d = open_as("tfrecord", to);
    assert_int_equal(ann_of(d, 0).flags & TN_HAS_BOX, TN_HAS_BOX);
    assert_int_equal(ann_of(d, 1).flags & TN_IS_TAG, TN_IS_TAG);
    tn_dataset_close(d);
}

static void splits_are_written(void **state)
{
    (void)state;
    char to[TMP_PATH];
    static const char json[] =
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], "
        "\"annotations\": [], \"categories\": []}";
    put("annotations/instances_val.json", json);
    put("annotations/instances_my_train.json", json);
    put("annotations/instances_odd.json", json);
    tn_dataset *d = open_as("coco", dir);
    tmp_path(to, dir, "out");
    must_convert(d, to, "tfrecord", "all");
    tn_dataset_close(d);
    d = open_as("tfrecord", to);
    assert_int_equal(info_of(d).n_splits, 3);
    tn_dataset_close(d);
    size_t n = 0;
    free(bytes_of(to, "val.tfrecord", &n));
    free(bytes_of(to, "my_train/data.tfrecord", &n));
    free(bytes_of(to, "odd/data.tfrecord", &n));
}

/* --- the rest -------------------------------------------------------------- */

static void shared_fixtures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t images, annotations, classes;
    } rows[] = {
        {"datumaro-assets/tf_detection_api_dataset", 3, 4, 10},
        {"datumaro-assets-cvat/tf_detection_api_dataset", 3, 4, 10},
        {"datumaro-assets/roboflow_dataset/tfrecord", 3, 4, 2},
    };
    int found = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[1024], to[TMP_PATH];
        if (!shared(name, rows[i].name)) continue;
        found++;
        tn_dataset *d = open_as(NULL, name);
        assert_string_equal(info_of(d).format, "tfrecord");
        assert_int_equal(info_of(d).n_images, rows[i].images);
        assert_int_equal(info_of(d).n_annotations, rows[i].annotations);
        assert_int_equal(info_of(d).n_classes, rows[i].classes);
        (void)snprintf(to, sizeof to, "%.400s/out%zu", dir, i);
        must_convert(d, to, "tfrecord", NULL);
        tn_dataset_close(d);
    }
    if (found == 0) skip();
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    make_full();
    survives_oom(dir, "tfrecord");
}

static void digests(void **state)
{
    (void)state;
    char hex[65];
    tni_sha256_hex(hex, "", 0);
    assert_string_equal(
        hex,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    tni_sha256_hex(hex, "abc", 3);
    assert_string_equal(
        hex,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    tni_sha256_hex(
        hex, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
    assert_string_equal(
        hex,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Long texts go eight bytes at a time: as in pieces. */
static void long_checksums(void **state)
{
    (void)state;
    static uint8_t data[20001];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * i % 251);
    for (size_t n = 8180; n < sizeof data; n += 1313) {
        uint32_t crc = 0;
        for (size_t i = 0; i < n; i += 100)
            crc = tni_crc32c(crc, data + i, n - i < 100 ? n - i : 100);
        assert_int_equal(tni_crc32c(0, data, n), crc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(reads_everything),
        IN(round_trip_is_the_same),
        IN(golden),
        IN(label_traps),
        IN(classes_without_a_map),
        IN(class_names_survive),
        IN(refuses_broken_label_maps),
        IN(several_label_maps),
        IN(splits_from_names),
        IN(shards),
        IN(compressed),
        IN(images_come_out_and_go_in),
        IN(names_of_images),
        IN(no_name_leaves_the_folder),
        IN(odd_features),
        IN(refuses_broken_records),
        IN(refuses_broken_files),
        IN(coco_comes_back_by_the_residue),
        IN(outlines_are_drawn),
        IN(what_cannot_be_written),
        IN(order_of_kinds),
        IN(splits_are_written),
        IN(shared_fixtures),
        IN(survives_lack_of_memory),
        cmocka_unit_test(digests),
        cmocka_unit_test(long_checksums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
