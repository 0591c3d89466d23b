/* SPDX-License-Identifier: Apache-2.0 */
/* test_mot.c - MOT Challenge: sequences, tracks, names of frames */
#define _XOPEN_SOURCE 700
#include "formats.h"

static void look_at_golden(const tn_dataset *d)
{
    double v = 0.0;
    has(d, 5, 4, 12);
    assert_string_equal(class_name(d, 0), "Pedestrian");
    assert_string_equal(class_name(d, 11), "Reflection");
    size_t s1 = 2;
    if (strcmp(tn_dataset_split(d, 0), "train") == 0) s1 = 0;
    assert_string_equal(image_of(d, s1).name, "S-01/img1/000001.png");
    assert_int_equal(image_of(d, s1).width, 64);
    assert_int_equal(image_of(d, s1 + 1).state, TN_STATE_EMPTY);
    assert_int_equal(ann_of(d, 2).image, s1 + 2);
    has_box(d, 0, 0, 1.5, 10, 21.5);
    has_box(d, 3, 4.125, 4, 5.125, 5);
    assert_true(tn_dataset_num(d, 1, TN_NUM_TRACK, &v) && v == 2);
    assert_false(tn_dataset_num(d, 3, TN_NUM_TRACK, &v));
    assert_true(tn_dataset_num(d, 3, TN_NUM_SCORE, &v) && v == 0.875);
    assert_int_equal(ann_of(d, 3).class_index, TN_NONE);
    assert_int_equal(ann_of(d, 1).class_index, 11);
    assert_true(has_text(tn_dataset_text(d, 1, TN_TEXT_ATTRIBUTES, 0),
                         "{\"ignore\": true, \"visibility\": 0.25}"));
}

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "mot", NULL, NULL);
    assert_string_equal(info_of(d).format, "mot");
    assert_int_equal(info_of(d).n_splits, 2);
    assert_string_equal(image_of(d, 0).name, "S-02/img1/000001.jpg");
    assert_int_equal(image_of(d, 0).state, TN_STATE_UNKNOWN);
    look_at_golden(d);
    tn_dataset_close(d);
}

static void writes_what_it_read(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "mot", NULL, NULL);
    convert_here(d, "out", "mot", NULL, "unlabelled-images");
    file_is("out/train/S-01/gt/gt.txt",
            "1,1,1,2.5,10,20,1,1,1\n1,2,3,4,5,6,0,12,0.25\n"
            "3,1,2,2.5,10,20,1,1,0.5\n3,-1,5.125,5,1,1,0.875,-1,1\n");
    file_is("out/train/S-01/seqinfo.ini",
            "[Sequence]\nname=S-01\nimDir=img1\nframeRate=29.97\nseqLength=3\n"
            "imWidth=64\nimHeight=48\nimExt=.png\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    look_at_golden(back);
    convert_here(back, "again", "mot", NULL, "all");
    tn_dataset_close(back);
    tn_dataset_close(d);
}

/* Detections: scores of any size, no class, of ten fields or seven. */
static void detections(void **state)
{
    (void)state;
    double v = 0.0;
    put("in/det/det.txt", "1,-1,11,21,30,40,-0.5,-1,-1,-1\n"
                          "1,-1,1,1,3,4,1\n2,-1,1,2,3,4,0,2,-1\n");
    put("in/gt/gt.txt", "1,1,1,1,1,1,1,1,1\n");
    tn_dataset *d = open_here("in", NULL, NULL);
    assert_string_equal(info_of(d).variant, "gt");
    has(d, 1, 1, 12);
    uint64_t times = 0;
    assert_non_null(note_of(d, "detections", &times));
    tn_dataset_close(d);
    d = open_here("in", "mot", "det");
    has(d, 2, 3, 12);
    has_box(d, 0, 10, 20, 40, 60);
    assert_true(tn_dataset_num(d, 0, TN_NUM_SCORE, &v) && v == -0.5);
    assert_true(tn_dataset_num(d, 1, TN_NUM_SCORE, &v) && v == 1.0);
    assert_true(tn_dataset_num(d, 2, TN_NUM_SCORE, &v) && v == 0.0);
    assert_int_equal(ann_of(d, 0).class_index, TN_NONE);
    assert_int_equal(ann_of(d, 2).class_index, 1);
    assert_null(tn_dataset_text(d, 2, TN_TEXT_ATTRIBUTES, 0).data);
    convert_here(d, "out", "mot", NULL, "");
    file_is("out/det/det.txt",
            "1,-1,11,21,30,40,-0.5,-1,-1,-1\n"
            "1,-1,1,1,3,4,1,-1,-1,-1\n2,-1,1,2,3,4,0,2,-1\n");
    tn_dataset_close(d);
    put("lone/det/det.txt", "1,-1,11,21,30,40,7.5\n");
    d = open_here("lone", NULL, NULL);
    assert_string_equal(info_of(d).variant, "det");
    assert_true(tn_dataset_num(d, 0, TN_NUM_SCORE, &v) && v == 7.5);
    tn_dataset_close(d);
}

static void one_sequence(void **state)
{
    (void)state;
    put("gt/gt.txt", "2,7,1,1,4,4,1,2,1\n1,7,1,1,4,4,1,1,1\n");
    put("gt/labels.txt", "cat\ndog\nnever\n");
    put("img1/000001.jpg", "");
    put("img1/000002.jpg", "");
    put("img1/cover.jpg", "");
    tn_dataset *d = open_here("", NULL, NULL);
    has(d, 2, 2, 3);
    assert_string_equal(class_name(d, ann_of(d, 0).class_index), "dog");
    assert_int_equal(ann_of(d, 0).image, 1);
    assert_non_null(image_of(d, 1).file);
    assert_non_null(note_of(d, "frame-name", NULL));
    tn_dataset *back = NULL;
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    char to[TMP_PATH + 8];
    (void)snprintf(to, sizeof to, "%s.out", dir);
    o.format = "mot";
    assert_int_equal(tn_dataset_convert(&c, d, to, &o, &err), TN_OK);
    tn_conversion_free(c);
    back = open_variant(to, NULL, NULL);
    has(back, 2, 2, 3);
    assert_string_equal(image_of(back, 0).name, "img1/000001.jpg");
    tn_dataset_close(back);
    tn_dataset_close(d);
    tmp_remove(to);
}

static void names_become_frames(void **state)
{
    (void)state;
    put("x.json",
        "[{\"image\": \"b/x 9.jpg\", \"annotations\": [{\"label\": \"c\", "
        "\"coordinates\": {\"x\": 2, \"y\": 2, \"width\": 2, \"height\": "
        "2}}]}, {\"image\": \"b/000001.jpg\", \"annotations\": []}, "
        "{\"image\": \"a/0002.jpg\", \"annotations\": []}, "
        "{\"image\": \"a/0001.jpg\", \"annotations\": []}]");
    tn_dataset *d = open_here("x.json", "createml", NULL);
    convert_here(d, "out", "mot", NULL, "image-names");
    file_is("out/b/gt/gt.txt", "1,-1,2,2,2,2,1,1,1\n");
    file_is("out/b/gt/labels.txt", "c\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 4, 1, 1);
    tn_dataset_close(back);
    tn_dataset_close(d);
    put("x.json", "[{\"image\": \"a.jpg\", \"annotations\": []}, "
                  "{\"image\": \"b.png\", \"annotations\": []}]");
    d = open_here("x.json", "createml", NULL);
    is_not_converted(d, "out2", "mot", "all", "have one extension");
    tn_dataset_close(d);
}

static void ten_fields_are_2015(void **state)
{
    (void)state;
    put("gt/gt.txt", "1,1,1,1,4,4,1,-1,-1,-1\n1,1,1,1,4,4,1,2.5,3,4\n");
    tn_dataset *d = open_here("", NULL, NULL);
    assert_int_equal(ann_of(d, 0).class_index, TN_NONE);
    assert_null(tn_dataset_text(d, 0, TN_TEXT_ATTRIBUTES, 0).data);
    assert_true(has_text(tn_dataset_text(d, 1, TN_TEXT_ATTRIBUTES, 0),
                         "{\"world\": [2.5, 3, 4]}"));
    tn_dataset_close(d);
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"1,2,3\n", "expected 6 to 10 fields"},
        {"1,2,3,4,5,6,7,8,9,10,11\n", "expected 6 to 10 fields"},
        {"0,1,1,1,4,4,1,1,1\n", "field 1 is '0'"},
        {"99999999999,1,1,1,4,4,1,1,1\n", "field 1 is '99999999999'"},
        {"1.5,1,1,1,4,4,1,1,1\n", "field 1 is '1.5'"},
        {"1,1,nan,1,4,4,1,1,1\n", "field 3 is 'nan'"},
        {"1,1,1,1e400,4,4,1,1,1\n", "field 4 is '1e400'"},
        {"1,1,1,1,4,4,1,x,1\n", "field 8 is 'x'"},
        {"1,1,1,1,4,4,1,1e9,1\n", "field 8 is '1e9'"},
        {"1,1e300,1,1,4,4,1,1,1\n", "field 2 is '1e300'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("gt/gt.txt", cases[i].text);
        is_refused("", "mot", NULL, cases[i].says);
        assert_non_null(strstr(err.where, "gt/gt.txt, line 1"));
    }
    put("gt/gt.txt", "");
    put("seqinfo.ini", "[Sequence]\nseqLength=99999999999\n");
    is_refused("", "mot", NULL, "expected 0 to 10,000,000 frames");
    put("seqinfo.ini", "imDir=../..\n");
    is_refused("", "mot", NULL, "expected a name without folders");
    put("seqinfo.ini", "imWidth=-1\n");
    is_refused("", "mot", NULL, "expected a size in pixels");
    put("none/x.txt", "");
    is_refused("none", "mot", NULL, "the folder has no sequence");
    is_refused("none/x.txt", "mot", NULL, "a MOT sequence is a folder");
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "mot", "mot");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const shared_row rows[] = {
        {"datumaro-assets/mot_dataset/mot_seq", 1, 1, 10},
        {"datumaro-assets/mot_dataset/mot_seq_with_seqinfo", 1, 1, 10},
        {"datumaro-assets-cvat/mot_dataset/mot_seq", 1, 1, 10},
        {"datumaro-assets-cvat/mot_dataset/mot_seq_with_seqinfo", 1, 1, 10},
    };
    check_shared(rows, sizeof rows / sizeof rows[0], NULL);
    tn_dataset *d = open_shared(rows[1].name, NULL);
    if (d == NULL) return;
    assert_string_equal(class_name(d, ann_of(d, 0).class_index), "label_2");
    has_box(d, 0, -1, 3, 3, 11);
    tn_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        IN_FOLDER(writes_what_it_read),
        IN_FOLDER(detections),
        IN_FOLDER(one_sequence),
        IN_FOLDER(names_become_frames),
        IN_FOLDER(ten_fields_are_2015),
        IN_FOLDER(refuses_broken),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
