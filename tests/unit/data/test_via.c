/* SPDX-License-Identifier: Apache-2.0 */
/* test_via.c - VIA: reading, traps, hostile input, round trips */
#define _XOPEN_SOURCE 700
#include "formats.h"

/* A project as via.js 2.0.10 saves it, with every shape. */
static const char full[] =
    "{\"_via_settings\": {\"ui\": {}, \"project\": {\"name\": \"p\"}},\n"
    "\"_via_img_metadata\": {\n"
    "\"a b.jpg-1\": {\"filename\": \"a b.jpg\", \"size\": -1, \"regions\": [\n"
    " {\"shape_attributes\": {\"name\": \"rect\", \"x\": 1.5, \"y\": 2, "
    "\"width\": 10, \"height\": 20}, \"region_attributes\": {\"kind\": \"x\", "
    "\"name\": \"no\"}},\n"
    " {\"shape_attributes\": {\"name\": \"circle\", \"cx\": 5, \"cy\": 6, "
    "\"r\": 2.5}, \"region_attributes\": {\"name\": {\"dog\": true}}},\n"
    " {\"shape_attributes\": {\"name\": \"ellipse\", \"cx\": 5, \"cy\": 6, "
    "\"rx\": 3, \"ry\": 2, \"theta\": 1.5707963267948966}, "
    "\"region_attributes\": {\"name\": {\"dog\": true, \"cat\": true}}},\n"
    " {\"shape_attributes\": {\"name\": \"polygon\", \"all_points_x\": [1, "
    "9.5, 4], \"all_points_y\": [2, 3, 8]}, \"region_attributes\": "
    "{\"name\": \"1\"}, \"timestamp\": 7},\n"
    " {\"shape_attributes\": {\"name\": \"polyline\", \"all_points_x\": [1, "
    "9], \"all_points_y\": [2, 3]}, \"region_attributes\": {\"name\": \"\"}},\n"
    " {\"shape_attributes\": {\"name\": \"point\", \"cx\": 3, \"cy\": 4}, "
    "\"region_attributes\": {}}],\n"
    " \"file_attributes\": {\"weather\": \"rain\"}},\n"
    "\"e.png77\": {\"filename\": \"e.png\", \"size\": 77, \"regions\": [], "
    "\"file_attributes\": {}}},\n"
    "\"_via_attributes\": {\"region\": {\"name\": {\"type\": \"text\"}}, "
    "\"file\": {}},\n"
    "\"_via_data_format_version\": \"2.0.10\",\n"
    "\"_via_image_id_list\": [\"a b.jpg-1\", \"e.png77\"]}\n";

static void look_at_full(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(info_of(d).n_annotations, 6);
    assert_int_equal(info_of(d).n_classes, 3);
    assert_string_equal(image_of(d, 0).name, "a b.jpg");
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"weather\": \"rain\"}");
    assert_text(tn_dataset_image_text(d, 1, TN_TEXT_EXTRA, 0), "\"size\": 77");
    assert_string_equal(class_of(d, 0), "no");
    assert_box(d, 0, 1.5, 2, 11.5, 22);
    assert_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"kind\": \"x\"}");
    assert_string_equal(class_of(d, 1), "dog");
    shape_of(d, 1, &s);
    assert_int_equal(s.kind, TN_SHAPE_ELLIPSE);
    assert_true(s.xy[2] == 2.5 && s.xy[3] == 2.5);
    assert_int_equal(ann_of(d, 2).class_index, TN_NONE);
    assert_text(tn_dataset_text(d, 2, TN_TEXT_ATTRIBUTES, 0),
                "{\"name\": {\"dog\": true, \"cat\": true}}");
    assert_box(d, 2, 3, 3, 7, 9);
    assert_string_equal(class_of(d, 3), "1");
    shape_of(d, 3, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYGON);
    assert_int_equal(s.n_points, 3);
    assert_true(s.xy[2] == 9.5 && s.xy[5] == 8.0);
    assert_text(tn_dataset_text(d, 3, TN_TEXT_EXTRA, 0), "\"timestamp\": 7");
    shape_of(d, 4, &s);
    assert_int_equal(s.kind, TN_SHAPE_POLYLINE);
    assert_int_equal(ann_of(d, 4).class_index, TN_NONE);
    shape_of(d, 5, &s);
    assert_int_equal(s.kind, TN_SHAPE_POINTS);
    tn_shape_fini(&s);
}

static void reads_everything(void **state)
{
    (void)state;
    tn_dataset *d = open_text(NULL, "x.json", full);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_string_equal(info_of(d).format, "via");
    look_at_full(d);
    assert_int_equal(noted(d, "several-classes"), 1);
    tn_dataset_close(d);
}

static void round_trip_is_the_same(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text("via", "x.json", full);
    assert_non_null(d);
    tmp_path(to, dir, "out.json");
    must_convert(d, to, "via", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    look_at_full(d);
    tmp_path(to, dir, "folder");
    must_convert(d, to, "via", NULL);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    look_at_full(d);
    tn_dataset_close(d);
}

static void golden(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_as(NULL, GOLDEN "via");
    look_at_full(d);
    tmp_path(to, dir, "out");
    must_convert(d, to, "via", NULL);
    tn_dataset_close(d);
    same_file(GOLDEN "via", "via.json", to, "via.json");
}

/* Version 1: regions are an object, the annotations are alone. */
static void version_one(void **state)
{
    (void)state;
    tn_dataset *d = open_text(
        NULL, "x.json",
        "{\"a.jpg5\": {\"filename\": \"a.jpg\", \"size\": 5, \"base64_img_data"
        "\": \"\", \"file_attributes\": {}, \"regions\": {\"0\": "
        "{\"shape_attributes\": {\"name\": \"rect\", \"x\": 1, \"y\": 2, "
        "\"width\": 3, \"height\": 4}, \"region_attributes\": {\"fruit\": "
        "\"kiwi\"}}, \"1\": {\"shape_attributes\": {\"name\": \"ellipse\", "
        "\"cx\": 1, \"cy\": 2, \"rx\": 3, \"ry\": 4}, \"region_attributes\": "
        "{\"fruit\": \"kiwi\"}}}}}");
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_string_equal(class_of(d, 1), "kiwi"); /* the only attribute */
    tn_dataset_close(d);
}

/* A class without a name is not the same as no class. */
static void class_names_survive(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",         "no", "1", "a: b", "M\\u00fcnchen", "x ", "\\ud83d\\ude00",
        "\\\"q\\\\"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[600], to[TMP_PATH];
        tn_class_row a = TN_CLASS_ROW_INIT, b = TN_CLASS_ROW_INIT;
        (void)snprintf(
            text, sizeof text,
            "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], "
            "\"annotations\": [{\"id\": 1, \"image_id\": 1, \"category_id\": "
            "1, \"bbox\": [1, 2, 3, 4], \"attributes\": {\"name\": \"n\"}}], "
            "\"categories\": [{\"id\": 1, \"name\": \"%s\"}]}",
            names[i]);
        tn_dataset *d = open_text("coco", "x.json", text), *back;
        assert_non_null(d);
        (void)snprintf(to, sizeof to, "%.400s/out%zu.json", dir, i);
        must_convert(d, to, "via", "all");
        back = open_as("via", to);
        assert_int_equal(tn_dataset_class(d, 0, &a), TN_OK);
        assert_int_equal(tn_dataset_class(back, 0, &b), TN_OK);
        assert_string_equal(a.name, b.name);
        assert_text(tn_dataset_text(back, 0, TN_TEXT_ATTRIBUTES, 0),
                    "{\"name\": \"n\"}");
        tn_dataset_close(back);
        tn_dataset_close(d);
    }
}

/* The size in bytes tells whether the file is the one that was annotated. */
static void size_is_checked(void **state)
{
    (void)state;
    put("a.png", "12345");
    tn_dataset *d = open_text(
        "via", "x.json",
        "{\"a\": {\"filename\": \"a.png\", \"size\": 5, \"regions\": []}, "
        "\"b\": {\"filename\": \"a.png\", \"size\": 6, \"regions\": []}}");
    assert_non_null(d);
    assert_int_equal(noted(d, "file-size"), 1);
    assert_null(tn_dataset_image_text(d, 0, TN_TEXT_EXTRA, 0).data);
    assert_text(tn_dataset_image_text(d, 1, TN_TEXT_EXTRA, 0), "\"size\": 6");
    tn_dataset_close(d);
}

static void losses_are_counted(void **state)
{
    (void)state;
    char to[TMP_PATH], lost[400];
    tn_dataset *d = open_text(
        "coco", "x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\", \"width\": 9, "
        "\"height\": 9}], \"annotations\": [{\"id\": 1, \"image_id\": 1, "
        "\"category_id\": 1, \"bbox\": [1, 2, 3, 4], \"score\": 0.5, "
        "\"attributes\": {\"label\": 2}}], \"categories\": [{\"id\": 1, "
        "\"name\": \"c\"}]}");
    assert_non_null(d);
    tmp_path(to, dir, "out.json");
    assert_int_equal(convert(d, to, "via", NULL, lost), TN_EUNSUPPORTED);
    assert_string_equal(lost, "attributes,scores,annotation-ids,image-ids,"
                              "class-ids,image-sizes");
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *region, *says;
    } cases[] = {
        {"{}", "a region has no 'shape_attributes'"},
        {"{\"shape_attributes\": {}}", "a shape has no 'name'"},
        {"{\"shape_attributes\": {\"name\": \"blob\"}}",
         "a shape 'blob', expected rect"},
        {"{\"shape_attributes\": {\"name\": \"rect\", \"x\": 1, \"y\": 2}}",
         "a rect lacks some of its numbers"},
        {"{\"shape_attributes\": {\"name\": \"rect\", \"x\": \"1\"}}",
         "where a number is expected"},
        {"{\"shape_attributes\": {\"name\": \"polygon\", \"all_points_x\": "
         "[1, 2], \"all_points_y\": [1]}}",
         "differ in length"},
        {"{\"shape_attributes\": {\"name\": \"polygon\", \"all_points_x\": "
         "[], \"all_points_y\": []}}",
         "a shape has no points"},
        {"{\"shape_attributes\": {\"name\": \"polygon\"}}", "expected"},
        {"{\"shape_attributes\": {\"name\": \"point\", \"cx\": NaN}}",
         "found 'N'"},
        {"{\"shape_attributes\": ", "where a value is expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       "{\"a\": {\"filename\": \"a\", \"regions\": [%s]}}",
                       cases[i].region);
        refused("via", "x.json", text, cases[i].says);
    }
    refused("via", "x.json", "{\"a\": {\"regions\": []}}", "no 'filename'");
    refused("via", "x.json", "{\"a\": {\"filename\": \"\"}}", "no 'regions'");
    assert_null(try_open("via", dir));
}

/* --- tables ---------------------------------------------------------------- */

#define HEADER                                                                 \
    "filename,file_size,file_attributes,region_count,region_id,"               \
    "region_shape_attributes,region_attributes\n"

/* As version 1 exports it: '#' in front, line ends of Windows. */
static const char table[] =
    "#" HEADER
    "a b.jpg,-1,\"{\"\"weather\"\":\"\"rain\"\"}\",2,0,\"{\"\"name\"\":"
    "\"\"rect\"\",\"\"x\"\":1.5,\"\"y\"\":2,\"\"width\"\":3,\"\"height\"\":4}"
    "\","
    "\"{\"\"name\"\":\"\"cat\"\",\"\"k\"\":\"\"a, b\"\"}\"\r\n"
    "a b.jpg,-1,\"{\"\"weather\"\":\"\"rain\"\"}\",2,1,\"{\"\"name\"\":"
    "\"\"polygon\"\",\"\"all_points_x\"\":[1,2,3],\n\"\"all_points_y\"\":[1,2,"
    "1]}"
    "\",\"{\"\"name\"\":\"\"dog\"\"}\"\n"
    "\"e,1.jpg\",12,\"{}\",0,0,\"{}\",\"{}\"\n";

static void look_at_table(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    assert_string_equal(info_of(d).format, "via");
    assert_string_equal(info_of(d).variant, "csv");
    assert_int_equal(info_of(d).n_images, 2);
    assert_int_equal(info_of(d).n_annotations, 2);
    assert_string_equal(image_of(d, 0).name, "a b.jpg");
    assert_text(tn_dataset_image_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"weather\":\"rain\"}");
    assert_string_equal(image_of(d, 1).name, "e,1.jpg");
    assert_int_equal(image_of(d, 1).state, TN_STATE_EMPTY);
    assert_text(tn_dataset_image_text(d, 1, TN_TEXT_EXTRA, 0), "\"size\": 12");
    assert_string_equal(class_of(d, 0), "cat");
    assert_box(d, 0, 1.5, 2, 4.5, 6);
    assert_text(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0),
                "{\"k\":\"a, b\"}");
    assert_string_equal(class_of(d, 1), "dog");
    shape_of(d, 1, &s);
    assert_int_equal(s.n_points, 3);
    tn_shape_fini(&s);
}

static tn_status to_table(const tn_dataset *d, const char *to)
{
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    o.format = "via";
    o.variant = "csv";
    o.allow_loss = "all";
    memset(&err, 0, sizeof err);
    const tn_status status = tn_dataset_convert(&c, d, to, &o, &err);
    tn_conversion_free(c);
    return status;
}

static void tables(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text(NULL, "x.csv", table);
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    look_at_table(d);
    /* Places are those of the table. */
    assert_int_equal(ann_of(d, 0).place.offset, strlen(HEADER) + 1);
    assert_true(ann_of(d, 1).place.offset > ann_of(d, 0).place.offset);
    tmp_path(to, dir, "out");
    assert_int_equal(to_table(d, to), TN_OK);
    tn_dataset_close(d);
    d = open_as(NULL, to);
    look_at_table(d);
    tn_dataset_close(d);
    same_file(GOLDEN "via_csv", "via.csv", to, "via.csv");
}

static void refuses_broken_tables(void **state)
{
    (void)state;
    static const struct {
        const char *row, *says, *line;
    } cases[] = {
        {",1,{},1,0,{},{}", "a row without a filename", "line 2"},
        {"a,x,{},1,0,{},{}", "file_size is 'x', expected a number", "line 2"},
        {"a,1,[],1,0,{},{}", "file_attributes is no object", "line 2"},
        {"a,1,{},1,0,\"{\"\"name\"\"}\",{}", "expected", "line 2"},
        {"a,1,{},1,0,\"{\"\"x\"\":1}\",{}", "a shape has no 'name'", "line 2"},
        {"a,1,{},1,0,{},{}\nb,1,{},1,0,\"{\"\"name\"\":\"\"blob\"\"}\",{}",
         "a shape 'blob'", "line 3"},
        {"a,1,{},1,0,{},{}\nb,1,{},1,0,{},{}\na,1,{},1,0,{},{}",
         "are not side by side", "line 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1000];
        (void)snprintf(text, sizeof text, HEADER "%s\n", cases[i].row);
        refused("via", "x.csv", text, cases[i].says);
        if (strstr(err.where, cases[i].line) == NULL)
            fail_msg("%s: %s", cases[i].row, err.where);
    }
    refused("via", "x.csv", "filename,x_region_shape_attributes\na,{}\n",
            "does not name the columns");
}

static void tables_note_oddities(void **state)
{
    (void)state;
    tn_dataset *d =
        open_text("via", "x.csv",
                  "region_shape_attributes;filename;region_count;mine\n"
                  "\"{\"\"name\"\":\"\"point\"\",\"\"cx\"\":1,\"\"cy\"\":2}\";"
                  "a.jpg;7;x\n");
    if (d == NULL) fail_msg("%s: %s", err.where, err.message);
    assert_int_equal(info_of(d).n_annotations, 1);
    assert_int_equal(noted(d, "region-count"), 1);
    assert_int_equal(noted(d, "column"), 1);
    tn_dataset_close(d);
}

/* A table declares nothing: what would be taken for the class is refused. */
static void tables_need_a_clear_class(void **state)
{
    (void)state;
    char to[TMP_PATH];
    tn_dataset *d = open_text(
        "coco", "x.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"a.jpg\"}], "
        "\"annotations\": [{\"id\": 1, \"image_id\": 1, \"bbox\": [1, 2, 3, "
        "4], \"attributes\": {\"name\": \"n\"}}], \"categories\": []}");
    assert_non_null(d);
    tmp_path(to, dir, "out");
    assert_int_equal(to_table(d, to), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "take 'name' for the class"));
    tmp_path(to, dir, "out.json");
    assert_int_equal(to_table(d, to), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "name a folder"));
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    tmp_write(dir, "x.json", full, sizeof full - 1);
    tmp_path(path, dir, "x.json");
    survives_oom(path, "via");
    tmp_write(dir, "x.csv", table, sizeof table - 1);
    tmp_path(path, dir, "x.csv");
    survives_oom(path, "via");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(round_trip_is_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(golden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(version_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(class_names_survive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(size_is_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(losses_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_broken_tables, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tables_note_oddities, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tables_need_a_clear_class, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(survives_lack_of_memory, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
