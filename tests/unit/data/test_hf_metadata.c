/* SPDX-License-Identifier: Apache-2.0 */
/* test_hf_metadata.c - Hugging Face metadata: rows, objects, splits, the card */
#define _XOPEN_SOURCE 700
#include "formats.h"

#include "data/formats/hf_metadata.h"

static void look_at_golden(const tn_dataset *d)
{
    double v = 0.0;
    has(d, 4, 6, 3);
    assert_string_equal(tn_dataset_split(d, 0), "test");
    assert_string_equal(tn_dataset_split(d, 1), "train");
    assert_string_equal(class_name(d, 0), "M\xc3\xbcnchen, \"1\"");
    assert_int_equal(image_of(d, 0).splits, 1);
    assert_string_equal(image_of(d, 1).name, "a.jpg");
    assert_int_equal(image_of(d, 1).width, 100);
    assert_string_equal(image_of(d, 2).name, "in/b c.jpg");
    assert_int_equal(image_of(d, 2).state, TN_STATE_EMPTY);
    assert_int_equal(image_of(d, 3).state, TN_STATE_UNKNOWN);
    assert_true((ann_of(d, 0).flags & TN_IS_TAG) != 0);
    assert_true(
        has_text(tn_dataset_text(d, 1, TN_TEXT_CAPTION, 0), "\"three\""));
    has_box(d, 2, 10, 20, 40.5, 60);
    assert_int_equal(ann_of(d, 2).id.number, 5);
    assert_int_equal(ann_of(d, 2).flags & (TN_IS_CROWD | TN_SAYS_CROWD),
                     TN_SAYS_CROWD);
    assert_true((ann_of(d, 3).flags & TN_IS_CROWD) != 0);
    assert_true(tn_dataset_num(d, 2, TN_NUM_AREA, &v) && v == 99.5);
    assert_false(tn_dataset_num(d, 3, TN_NUM_AREA, &v));
    assert_true(tn_dataset_num(d, 3, TN_NUM_SCORE, &v) && v == 0.25);
    assert_true(has_text(tn_dataset_text(d, 2, TN_TEXT_EXTRA, 0),
                         "\"pose\": \"left\""));
    assert_true(
        has_text(tn_dataset_text(d, 5, TN_TEXT_CAPTION, 0), "\"zw\\u00ebi\""));
    assert_true(has_text(tn_dataset_image_text(d, 1, TN_TEXT_EXTRA, 0),
                         "\"source\": {\"by\": [1, null]}"));
}

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "hf_metadata", NULL, NULL);
    assert_string_equal(info_of(d).format, "hf-metadata");
    assert_string_equal(info_of(d).variant, "xywh");
    look_at_golden(d);
    tn_dataset_close(d);
}

static void writes_what_it_read(void **state)
{
    (void)state;
    char where_to[TMP_PATH], golden[8192];
    tn_dataset *d = open_variant(GOLDEN "hf_metadata", NULL, NULL);
    convert_here(d, "out", "hf-metadata", NULL, "");
    (void)snprintf(where_to, sizeof where_to,
                   GOLDEN "hf_metadata/train/metadata.jsonl");
    FILE *f = fopen(where_to, "rb");
    assert_non_null(f);
    golden[fread(golden, 1, sizeof golden - 1, f)] = '\0';
    (void)fclose(f);
    file_is("out/train/metadata.jsonl", golden);
    file_is("out/test/metadata.jsonl",
            "{\"file_name\": \"a.jpg\", \"source\": {\"by\": []}, \"label\": "
            "\"outdoor\", \"text\": [\"three\"]}\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    look_at_golden(back);
    same(d, back);
    tn_dataset_close(back);
    convert_here(d, "corners", "hf-metadata", "xyxy", "");
    back = open_here("corners", NULL, "xyxy");
    look_at_golden(back);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

/* The examples of the documentation, and of AutoTrain. */
static void forms_of_objects(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"file_name\": \"1.png\", \"objects\": {\"bbox\": [[302.0, 109.0, "
        "73.0, 52.0]], \"categories\": [0]}}\n",
        "{\"file_name\": \"1.png\", \"objects\": {\"bbox\": [[302, 109, 73, "
        "52]], \"category\": [0]}}\r\n\r\n",
        "{\"file_name\": \"1.png\", \"objects\": {\"category_id\": [0], "
        "\"bboxes\": [[302, 109, 73, 52]], \"area\": null}}",
        "\xef\xbb\xbf{\"objects\": [{\"bbox\": [302, 109, 73, 52], \"label\": "
        "0}], \"file_name\": \"1.png\"}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put("in/metadata.jsonl", rows[i]);
        tn_dataset *d = open_here("in", NULL, NULL);
        has(d, 1, 1, 1);
        assert_string_equal(class_name(d, 0), "0");
        has_box(d, 0, 302, 109, 375, 161);
        tn_dataset_close(d);
    }
    tn_dataset *d = open_here("in/metadata.jsonl", NULL, NULL);
    convert_here(d, "out", "hf-metadata", NULL, "");
    file_is("out/metadata.jsonl",
            "{\"file_name\": \"1.png\", \"objects\": {\"bbox\": [[302.0, "
            "109.0, 73.0, 52.0]], \"categories\": [0]}}\n");
    tn_dataset_close(d);
}

static void names_from_the_card(void **state)
{
    (void)state;
    put("in/README.md",
        "---\ndataset_info:\n  features:\n  - name: image\n    dtype: "
        "image\n  - name: objects\n    sequence:\n    - name: category\n  "
        "    dtype:\n        class_label:\n          names:\n            "
        "'0': no\n            '1': Mask\n  - name: label\n    dtype:\n     "
        " class_label:\n        names: [indoor, outdoor]\n---\n# Text\n");
    put("in/metadata.jsonl",
        "{\"file_name\": \"1.png\", \"objects\": {\"bbox\": [[1, 2, 3, "
        "4], [1, 2, 3, 4]], \"category\": [1, 7]}, \"label\": 1}\n");
    tn_dataset *d = open_here("in", NULL, NULL);
    has(d, 1, 3, 3);
    assert_string_equal(class_name(d, 0), "7");
    assert_string_equal(class_name(d, 1), "Mask");
    assert_string_equal(class_name(d, 2), "outdoor");
    tn_dataset_close(d);
    put("in/README.md", "---\na: [\n---\n");
    d = open_here("in", NULL, NULL);
    assert_non_null(note_of(d, "card", NULL));
    tn_dataset_close(d);
}

static void patterns_of_files(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"a/**", "a/b/c.png", true},
        {"a/**", "b/c.png", false},
        {"**", "a", true},
        {"**/*.png", "c.png", true},
        {"**/*.png", "a/b.png", true},
        {"a/**/c", "a/c", true},
        {"a/**/c", "a/b/c", true},
        {"a/**/c", "a/bc", false},
        {"a/**/**/c", "a/x/y/c", true},
        {"*.png", "a/b.png", false},
        {"*", "abc", true},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbY/c", false},
        {"?.png", "a.png", true},
        {"?", "/", false},
        {"[a-c]1", "b1", true},
        {"[!a-c]1", "b1", false},
        {"[!a-c]1", "d1", true},
        {"[]]", "]", true},
        {"[", "[", true},
        {"", "", true},
        {"", "a", false},
        {"a**z", "ab/c/z", true},
        {"*a/**/b*.png", "xa/y/z/b1.png", true},
        {"train-*", "train-0/a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (tni_hf_match(cases[i].pattern, cases[i].path) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].path);
}

#define CARD(files)                                                            \
    "---\nconfigs:\n- config_name: other\n  data_files: '**/o*.png'\n"         \
    "- config_name: main\n  default: true\n" files "---\n"

static const char *split_of(const tn_dataset *d, size_t image)
{
    const uint64_t splits = image_of(d, image).splits;
    size_t s = 0;
    if (splits == 0) return "";
    while ((splits >> s & 1) == 0) s++;
    return tn_dataset_split(d, s);
}

/* Folders called otherwise than their splits, two of one split with the same
 * names in them; one that the card does not know; one that lies deep. */
static void splits_from_the_card(void **state)
{
    (void)state;
    put("in/README.md",
        CARD("  data_files:\n  - split: train\n    path:\n    - one/**\n"
             "    - two/*\n  - split: held\n    path: v1/x/last/**\n"));
    put("in/one/metadata.jsonl", "{\"file_name\": \"a.png\"}");
    put("in/one/a.png", "");
    put("in/one/b.png", "");
    put("in/two/metadata.jsonl", "{\"file_name\": \"a.png\"}");
    put("in/mine/metadata.jsonl", "{\"file_name\": \"a.png\"}");
    put("in/v1/x/last/metadata.csv", "file_name\na.png\n");
    put("in/v1/x/last/a.png", "");
    tn_dataset *d = open_here("in", "hf-metadata", NULL);
    static const char *const want[][2] = {{"mine", "a.png"},
                                          {"train", "one/a.png"},
                                          {"train", "one/b.png"},
                                          {"train", "two/a.png"},
                                          {"held", "v1/x/last/a.png"}};
    has(d, 5, 0, 0);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(split_of(d, i), want[i][0]);
        assert_string_equal(image_of(d, i).name, want[i][1]);
        assert_int_equal(image_of(d, i).file != NULL,
                         i == 1 || i == 2 || i == 4);
    }
    convert_here(d, "out", "hf-metadata", NULL, "");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 5, 0, 0);
    assert_int_equal(info_of(back).n_splits, 3);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

/* One metadata for all; what no pattern has stays in no split. */
static void splits_of_files_from_the_card(void **state)
{
    (void)state;
    put("in/README.md", CARD("  data_dir: ./\n  data_files:\n    test: t*.png\n"
                             "    train: ['[a-c]*.png', train/**]\n"));
    put("in/metadata.csv", "file_name\nt1.png\nb.png\nx.png\no1.png\n"
                           "train/z.png\n");
    tn_dataset *d = open_here("in", NULL, NULL);
    static const char *const want[] = {"test", "train", "", "train", "train"};
    has(d, 5, 0, 0);
    for (size_t i = 0; i < 5; i++) assert_string_equal(split_of(d, i), want[i]);
    assert_string_equal(image_of(d, 4).name, "z.png");
    tn_dataset_close(d);
    put("in/README.md",
        CARD("  data_files:\n  - split: far\n    path: hf://x/**\n"
             "  - split: up\n    path: ../**\n  - split: [a]\n    path: b\n"
             "  - path: b.png\n  - 7\n"));
    d = open_here("in", NULL, NULL);
    assert_non_null(note_of(d, "card", NULL));
    assert_string_equal(split_of(d, 1), "");
    tn_dataset_close(d);
}

static void csv_rows(void **state)
{
    (void)state;
    put("in/train/metadata.csv",
        "file_name,label,text,objects,width,height,note\n"
        "a.png,cat,\"a cat, and\na dog\",,,,007\n"
        "b.png,,5,\"{\"\"bbox\"\": [[1, 2, 3, 4]], \"\"categories\"\": "
        "[\"\"x\"\"]}\",10,20,5\n");
    put("in/train/c.png", "");
    tn_dataset *d = open_here("in", NULL, NULL);
    has(d, 3, 4, 2);
    assert_string_equal(tn_dataset_split(d, 0), "train");
    assert_true(has_text(tn_dataset_text(d, 1, TN_TEXT_CAPTION, 0),
                         "\"a cat, and\\na dog\""));
    assert_true(has_text(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0),
                         "\"note\": \"007\""));
    assert_true(
        has_text(tn_dataset_image_text(d, 1, TN_TEXT_EXTRA, 0), "\"note\": 5"));
    assert_int_equal(image_of(d, 1).height, 20);
    assert_int_equal(image_of(d, 2).state, TN_STATE_UNKNOWN);
    convert_here(d, "out", "hf-metadata", NULL, "");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 3, 4, 2);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void splits_of_folders_and_names(void **state)
{
    (void)state;
    put("in/data/train/metadata.jsonl", "{\"file_name\": \"a.png\"}");
    put("in/data/test/metadata.jsonl", "{\"file_name\": \"a.png\"}");
    tn_dataset *d = open_here("in", NULL, NULL);
    assert_int_equal(info_of(d).n_splits, 2);
    tn_dataset_close(d);
    put("one/metadata.csv",
        "file_name,label\ntrain/a.png,x\ntest/a.png,y\nother/b.png,x\n");
    put("one/train/a.png", "");
    d = open_here("one", NULL, NULL);
    has(d, 3, 3, 2);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_string_equal(image_of(d, 0).name, "a.png");
    assert_non_null(image_of(d, 0).file);
    assert_int_equal(image_of(d, 2).splits, 0);
    convert_here(d, "out", "hf-metadata", NULL, "");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 3, 3, 2);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void says_when_corners_fit_better(void **state)
{
    (void)state;
    put("metadata.jsonl",
        "{\"file_name\": \"a\", \"width\": 50, \"height\": 50, "
        "\"objects\": {\"bbox\": [[30, 30, 40, 40]], \"categories\": "
        "[\"x\"]}}");
    tn_dataset *d = open_here("metadata.jsonl", NULL, NULL);
    assert_non_null(note_of(d, "hf-bbox", NULL));
    tn_dataset_close(d);
    d = open_here("metadata.jsonl", NULL, "xyxy");
    has_box(d, 0, 30, 30, 40, 40);
    assert_null(note_of(d, "hf-bbox", NULL));
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{}", "a row has no 'file_name'"},
        {"{\"file_name\": \"\"}", "a row has no 'file_name'"},
        {"{\"input_file_name\": \"a\", \"output_file_name\": \"b\"}",
         "a row of several files"},
        {"[1]", "is expected"},
        {"{\"file_name\": \"a\"} x",
         "the end of the text is expected (line 2, "},
        {"{\"file_name\": \"a\", \"objects\": {\"bbox\": [[1, 2, 3]]}}",
         "a bbox has 3 numbers"},
        {"{\"file_name\": \"a\", \"objects\": {\"bbox\": [[1, 2, 3, NaN]]}}",
         "found 'N'"},
        {"{\"file_name\": \"a\", \"objects\": {\"bbox\": [[1, 2, 3, 1e400]]}}",
         "beyond the range"},
        {"{\"file_name\": \"a\", \"objects\": {\"bbox\": [[1, 2, 3, 4]], "
         "\"categories\": []}}",
         "the lists of objects differ in length ('bbox', 'categories')"},
        {"{\"file_name\": \"a\", \"objects\": {\"bbox\": 5}}",
         "'bbox' of objects is no list"},
        {"{\"file_name\": \"a\", \"objects\": 5}", "where an object"},
        {"{\"file_name\": \"a\", \"width\": -1}", "no whole number"},
        {"{\"file_name\": \"a\", \"text\": 5}", "is no string"},
        {"{\"file_name\": \"a\", \"label\": 0.5}", "not an integer"},
        {"{\"file_name\": \"ok\"}\n{\"file_name\": \"ok\"}",
         "'ok' has a second row"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        (void)snprintf(text, sizeof text, "{\"file_name\": \"first\"}\n%s",
                       cases[i].text);
        put("metadata.jsonl", text);
        is_refused("metadata.jsonl", "hf-metadata", NULL, cases[i].says);
        assert_non_null(strstr(err.where, "line "));
        assert_true(err.offset >= 23);
    }
    put("c/metadata.csv", "file_name,x\na\n");
    is_refused("c", "hf-metadata", NULL, "line 2: found 1 fields, expected 2");
    put("c/metadata.csv", "file_name,objects\na,[{}\n");
    is_refused("c", "hf-metadata", NULL, "where an object is expected");
    put("p/metadata.parquet", "PAR1");
    is_refused("p", "hf-metadata", NULL, "Parquet is not read");
    put("none/x.txt", "");
    is_refused("none", "hf-metadata", NULL, "the folder has no metadata");
    put("u/metadata.csv", "file_name\na\xff\n");
    is_refused("u", "hf-metadata", NULL, "is not UTF-8");
}

static void what_columns_cannot_say_is_a_loss(void **state)
{
    (void)state;
    static const struct {
        const char *text, *lost;
    } cases[] = {
        {"[{\"image\": \"a.jpg\", \"label\": 1, \"annotations\": []}]",
         "1 image-fields"},
        {"[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"x\", \"k\": "
         "1}]}]",
         "1 unknown-fields"},
        {"[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"x\", \"k\": "
         "null, \"coordinates\": {\"x\": 5, \"y\": 5, \"width\": 2, "
         "\"height\": 2}}]}]",
         "1 unknown-fields"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("x.json", cases[i].text);
        tn_dataset *d = open_here("x.json", "createml", NULL);
        is_not_converted(d, "out", "hf-metadata", NULL, cases[i].lost);
        tn_dataset_close(d);
    }
    put("s/data/_annotations.createml.json",
        "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"x\"}]}]");
    tn_dataset *d = open_here("s", "createml", NULL);
    is_not_converted(d, "out", "hf-metadata", NULL, "a split called 'data'");
    tn_dataset_close(d);
}

static void from_coco_and_back(void **state)
{
    (void)state;
    put("x.json",
        "{\"info\": {\"a\": 1}, \"images\": [{\"id\": 7, \"file_name\": "
        "\"a.jpg\", \"width\": 90, \"height\": 80}, {\"id\": 0, "
        "\"file_name\": \"b.jpg\", \"width\": 9, \"height\": 9}], "
        "\"annotations\": [{\"id\": 5, \"image_id\": 7, \"category_id\": "
        "3, \"bbox\": [10, 20, 30, 40], \"area\": 99, \"iscrowd\": 0, "
        "\"segmentation\": [[10, 20, 40, 20, 40, 60]]}], "
        "\"categories\": [{\"id\": 3, \"name\": \"x\"}, {\"id\": 9, "
        "\"name\": \"none\"}]}");
    tn_dataset *d = open_here("x.json", "coco", NULL);
    convert_here(d, "out", "hf-metadata", NULL,
                 "polygons,class-ids,unused-classes,dataset-fields");
    file_is("out/metadata.jsonl",
            "{\"file_name\": \"a.jpg\", \"image_id\": 7, \"width\": 90, "
            "\"height\": 80, \"objects\": {\"bbox\": [[10.0, 20.0, 30.0, "
            "40.0]], \"categories\": [\"x\"], \"id\": [5], \"area\": [99.0], "
            "\"iscrowd\": [0]}}\n"
            "{\"file_name\": \"b.jpg\", \"image_id\": 0, \"width\": 9, "
            "\"height\": 9}\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 2, 1, 2);
    assert_int_equal(tn_dataset_shape_kind(back, 0), TN_SHAPE_POLYGON);
    assert_int_equal(image_of(back, 1).state, TN_STATE_UNKNOWN);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

/* load_dataset refuses splits whose columns differ in type or are missing. */
static void columns_are_the_same_in_all_splits(void **state)
{
    (void)state;
    put("in/train/metadata.jsonl",
        "{\"file_name\": \"a.png\", \"image_id\": 1, \"k\": 5, "
        "\"objects\": "
        "{\"bbox\": [[1, 2, 3, 4]], \"category\": [0], \"area\": [5], "
        "\"id\": [1], \"iscrowd\": [0]}}");
    put("in/test/metadata.jsonl",
        "{\"file_name\": \"b.png\", \"objects\": {\"bbox\": [[1.5, 2, "
        "3, 4]], \"category\": [\"x\"], \"id\": [\"t\"]}}");
    tn_dataset *d = open_here("in", NULL, NULL);
    convert_here(d, "out", "hf-metadata", NULL,
                 "areas,annotation-ids,image-ids,image-fields");
    file_is("out/train/metadata.jsonl",
            "{\"file_name\": \"a.png\", \"objects\": {\"bbox\": [[1.0, 2.0, "
            "3.0, 4.0]], \"categories\": [\"0\"]}}\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    assert_int_equal(image_of(back, 1).id.number, 1); /* by the residue */
    assert_string_equal(ann_of(back, 0).id.text, "t");
    tn_dataset_close(back);
    tn_dataset_close(d);
}

/* Files that are named alike: foo/x.png in no split, and x.png in foo. */
#define ROW(file, split)                                                       \
    "{\"type\": \"image\", \"file\": \"" file                                  \
    "\", \"width\": 20, \"height\": 10" split                                  \
    ", \"annotations\": {\"boxes\": [[0, 0.5, 0.5, 0.2, 0.2]]}}\n"
#define IN(split) ", \"split\": \"" split "\""
#define HEAD                                                                   \
    "{\"type\": \"dataset\", \"task\": \"detect\", \"class_names\": "          \
    "{\"0\": \"cat\"}}\n"

static void comes_back_with_card(const char *rows, const char *card)
{
    put("x.ndjson", rows);
    tn_dataset *d = open_here("x.ndjson", "ndjson", NULL);
    convert_here(d, "out", "hf-metadata", NULL, "all");
    file_is("out/README.md", card);
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, info_of(d).n_images, info_of(d).n_annotations, 1);
    assert_int_equal(info_of(back).n_splits, info_of(d).n_splits);
    for (size_t i = 0; i < info_of(d).n_images; i++) {
        assert_string_equal(image_of(back, i).name, image_of(d, i).name);
        assert_int_equal(image_of(back, i).splits, image_of(d, i).splits);
        assert_int_equal(image_of(back, i).state, image_of(d, i).state);
    }
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void an_image_in_no_split_stays_in_none(void **state)
{
    (void)state;
    put("foo/x.png", "1");
    comes_back_with_card(
        HEAD ROW("x.png", IN("foo")) ROW("b.png", IN("unsplit"))
            ROW("foo/x.png", "") ROW("train/a.png", "") ROW("b.png", IN("val")),
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: \"foo\"\n    path: \"foo/**\"\n"
        "  - split: \"unsplit\"\n    path: \"unsplit/**\"\n"
        "  - split: \"val\"\n    path: \"val/**\"\n"
        "  - split: \"unsplit_\"\n    path: \"unsplit_/**\"\n"
        "tenon_unsplit: \"unsplit_\"\n---\n");
    file_is("out/foo/x.png", "1");
    file_is("out/unsplit_/foo/x.png", "1");
}

/* load_dataset would not look at the one, and take the other two for one. */
static void splits_that_are_called_otherwise(void **state)
{
    (void)state;
    comes_back_with_card(
        HEAD ROW("a.png", IN("my split")) ROW("b.png", IN("val"))
            ROW("c.png", IN("valid")),
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: \"my_split_0\"\n    path: \"my split/**\"\n"
        "  - split: \"val\"\n    path: \"val/**\"\n"
        "  - split: \"valid\"\n    path: \"valid/**\"\n---\n");
}

/* Columns without a value have no type, and load_dataset takes no splits that
 * differ: those without objects are another configuration. */
static void a_split_without_objects(void **state)
{
    (void)state;
    comes_back_with_card(
        HEAD "{\"type\": \"image\", \"file\": \"a.png\", \"width\": 20, "
             "\"height\": 10, \"split\": \"test\"}\n" ROW("b.png", IN("train"))
                 ROW("c.png", IN("val")),
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: \"train\"\n    path: \"train/**\"\n"
        "  - split: \"val\"\n    path: \"val/**\"\n"
        "- config_name: \"test\"\n  data_files:\n"
        "  - split: \"test\"\n    path: \"test/**\"\n---\n");
}

/* A card of somebody else may call it what it likes. */
static void a_card_leads_nowhere(void **state)
{
    (void)state;
    put("in/metadata.jsonl", "{\"file_name\": \"a.png\"}");
    put("in/README.md", "---\ntenon_unsplit: ../out\n---\n");
    tn_dataset *d = open_here("in", NULL, NULL);
    has(d, 1, 0, 0);
    tn_dataset_close(d);
    put("in/README.md", "---\ntenon_unsplit: [train]\n---\n");
    put("in/train/metadata.jsonl", "{\"file_name\": \"b.png\"}");
    d = open_here("in", NULL, NULL);
    assert_int_equal(info_of(d).n_splits, 1);
    tn_dataset_close(d);
}

static void paths_stay_inside(void **state)
{
    (void)state;
    put("secret.jpg", "");
    put("in/metadata.jsonl", "{\"file_name\": \"../secret.jpg\"}");
    tn_dataset *d = open_here("in", NULL, NULL);
    assert_null(image_of(d, 0).file);
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    char folder[TMP_PATH];
    (void)state;
    put("in/README.md", CARD("  data_dir: v\n  data_files:\n  - split: train\n"
                             "    path: [one/x/**, two/*]\n"));
    put("in/v/one/x/metadata.jsonl", "{\"file_name\": \"a.png\"}");
    put("in/v/one/x/b.png", "");
    tmp_path(folder, dir, "in");
    survives_oom(folder, "hf-metadata");
    survives_oom(GOLDEN "hf_metadata", "hf-metadata");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        IN_FOLDER(writes_what_it_read),
        IN_FOLDER(forms_of_objects),
        IN_FOLDER(names_from_the_card),
        cmocka_unit_test(patterns_of_files),
        IN_FOLDER(splits_from_the_card),
        IN_FOLDER(splits_of_files_from_the_card),
        IN_FOLDER(csv_rows),
        IN_FOLDER(splits_of_folders_and_names),
        IN_FOLDER(says_when_corners_fit_better),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(what_columns_cannot_say_is_a_loss),
        IN_FOLDER(from_coco_and_back),
        IN_FOLDER(columns_are_the_same_in_all_splits),
        IN_FOLDER(an_image_in_no_split_stays_in_none),
        IN_FOLDER(splits_that_are_called_otherwise),
        IN_FOLDER(a_split_without_objects),
        IN_FOLDER(a_card_leads_nowhere),
        IN_FOLDER(paths_stay_inside),
        IN_FOLDER(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
