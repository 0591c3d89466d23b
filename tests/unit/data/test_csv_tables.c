/* SPDX-License-Identifier: Apache-2.0 */
/* test_csv_tables.c - CSV manifests: columns, shapes, meanings, writing */
#define _XOPEN_SOURCE 700
#include "formats.h"

#define TF "filename,width,height,class,xmin,ymin,xmax,ymax\n"

static void look_at_golden(const tn_dataset *d)
{
    double v = 0.0;
    has(d, 4, 4, 3);
    assert_string_equal(class_name(d, 0), "M\xc3\xbcnchen, 1");
    assert_string_equal(class_name(d, 1), "cat");
    assert_string_equal(class_name(d, 2), "outdoor");
    assert_string_equal(tn_dataset_split(d, 0), "train");
    assert_string_equal(tn_dataset_split(d, 1), "valid");
    assert_string_equal(image_of(d, 1).name, "b b.jpg");
    assert_int_equal(image_of(d, 0).width, 100);
    assert_int_equal(image_of(d, 2).state, TN_STATE_EMPTY);
    assert_string_equal(image_of(d, 3).name, "a.jpg");
    has_box(d, 0, 10, 20, 40.5, 60);
    has_box(d, 1, 0, 0, 100, 80);
    assert_true((ann_of(d, 2).flags & TN_IS_TAG) != 0);
    assert_int_equal(ann_of(d, 3).class_index, TN_NONE);
    assert_true(tn_dataset_num(d, 0, TN_NUM_SCORE, &v) && v == 0.25);
    assert_true(has_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0),
                         "\"note\": \"says \\\"no\\\", twice\""));
    assert_true(
        has_text(tn_dataset_text(d, 1, TN_TEXT_EXTRA, 0), "\"note\": 7"));
}

static void reads_golden(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "csv", NULL, NULL);
    assert_string_equal(info_of(d).format, "csv");
    assert_string_equal(info_of(d).variant, "xyxy");
    look_at_golden(d);
    tn_dataset_close(d);
}

static void writes_what_it_read(void **state)
{
    (void)state;
    tn_dataset *d = open_variant(GOLDEN "csv", NULL, NULL);
    convert_here(d, "out", "csv", NULL, "");
    file_is("out/train/_annotations.csv",
            "filename,width,height,class,xmin,ymin,xmax,ymax,score,note\n"
            "a.jpg,100,80,cat,10,20,40.5,60,0.25,\"says \"\"no\"\", twice\"\n"
            "a.jpg,100,80,\"M\xc3\xbcnchen, 1\",0,0,100,80,,7\n"
            "b b.jpg,50,40,outdoor,,,,,,\n"
            "c.jpg,10,10,,,,,,,\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    look_at_golden(back);
    same(d, back);
    tn_dataset_close(back);
    static const char *const others[] = {
        "xyxy",      "xywh",        "cxcywh", "xyxy-unit",
        "xywh-unit", "cxcywh-unit", "kaggle"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        convert_here(d, others[i], "csv", others[i], "");
        back = open_here(others[i], "csv", others[i]);
        assert_string_equal(info_of(back).variant, others[i]);
        look_at_golden(back);
        tn_dataset_close(back);
    }
    file_is("kaggle/valid/_annotations.csv",
            "image_id,width,height,bbox,class,score,note\n"
            "a.jpg,64,64,\"[1, 2, 2, 2]\",,,\n");
    file_is("cxcywh-unit/valid/_annotations.csv",
            "filename,width,height,class,x_center,y_center,w,h,score,note\n"
            "a.jpg,64,64,,0.03125,0.046875,0.03125,0.03125,,\n");
    tn_dataset_close(d);
}

static void one_file_keeps_the_split_of_its_name(void **state)
{
    (void)state;
    put("train_labels.csv", TF "a.jpg,9,9,x,1,2,3,4\n");
    tn_dataset *d = open_here("train_labels.csv", NULL, NULL);
    assert_string_equal(tn_dataset_split(d, 0), "train");
    convert_here(d, "out_train.csv", "csv", NULL, "");
    convert_here(d, "out.csv", "csv", NULL, "splits");
    tn_dataset_close(d);
    put("is_valid_x.csv", TF "a.jpg,9,9,x,1,2,3,4\n");
    d = open_here("is_valid_x.csv", NULL, NULL);
    assert_int_equal(info_of(d).n_splits, 0);
    tn_dataset_close(d);
}

/* --- columns ------------------------------------------------------------- */

static void spellings_of_columns(void **state)
{
    (void)state;
    static const char *const tables[] = {
        TF "a.jpg,90,80,x,10,20,40,60\n",
        "image,xmin,ymin,xmax,ymax,label\na.jpg,10,20,40,60,x\n",
        "\"image\",\"xmin\",\"ymin\",\"xmax\",\"ymax\",\"label\"\n"
        "\"a.jpg\",10,20,40,60,\"x\"\n",
        "Image_ID,Class_Name,x1,y1,x2,y2\na.jpg,x,10,20,40,60\n",
        "image_path;x0;y0;x1;y1;category\na.jpg;10;20;40;60;x\n",
        "file_name\tleft\ttop\tright\tbottom\tname\na.jpg\t10\t20\t40\t60\tx\n",
        "frame,xmin,xmax,ymin,ymax,class_id\na.jpg,10,40,20,60,x\n",
        "img,x,y,w,h,label\na.jpg,10,20,30,40,x\n",
        "filename,x,y,width,height,label\na.jpg,10,20,30,40,x\n",
        "image_name,label_name,x1,y1,w,h\na.jpg,x,10,20,30,40\n",
        "filename,class,bbox_x,bbox_y,bbox_width,bbox_height\n"
        "a.jpg,x,10,20,30,40\n",
        "image_id,x_center,y_center,w,h,class\na.jpg,25,40,30,40,x\n",
        "name,class,bbox_x_min,bbox_y_min,bbox_x_max,bbox_y_max\n"
        "a.jpg,x,10,20,40,60\n",
        "\xef\xbb\xbf" TF "a.jpg , 90 , 80 , x , 10 , 20 , 40 , 60\r\n\r\n",
        "a.jpg,10,20,40,60,x\n",
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        put("x.csv", tables[i]);
        tn_dataset *d = open_here("x.csv", NULL, NULL);
        has(d, 1, 1, 1);
        assert_string_equal(image_of(d, 0).name, "a.jpg");
        assert_string_equal(class_name(d, 0), "x");
        has_box(d, 0, 10, 20, 40, 60);
        tn_dataset_close(d);
    }
}

static void sizes_of_boxes_and_of_images(void **state)
{
    (void)state;
    put("x.csv", "filename,width,height,x,y,w,h,class\n"
                 "a.jpg,90,80.0,10,20,30,40,x\n");
    tn_dataset *d = open_here("x.csv", NULL, NULL);
    assert_int_equal(image_of(d, 0).width, 90);
    assert_int_equal(image_of(d, 0).height, 80);
    has_box(d, 0, 10, 20, 40, 60);
    tn_dataset_close(d);
    put("x.csv", TF "a.jpg,9,9,x,1,2,3,4\na.jpg,8,9,x,1,2,3,4\n");
    d = open_here("x.csv", NULL, NULL);
    assert_non_null(note_of(d, "size-differs", NULL));
    tn_dataset_close(d);
}

static void names_of_columns_say_parts_of_the_image(void **state)
{
    (void)state;
    put("x.csv", "filename,width,height,class,xmin_norm,ymin_norm,"
                 "xmax_norm,ymax_norm\na.jpg,100,80,x,0.1,0.25,0.4,0.75\n");
    tn_dataset *d = open_here("x.csv", NULL, NULL);
    has_box(d, 0, 10, 20, 40, 60);
    tn_dataset_close(d);
}

static void bbox_in_one_column(void **state)
{
    (void)state;
    /* The Kaggle wheat table, as it was published. */
    put("x.csv", "image_id,width,height,bbox,source\n"
                 "b6a,1024,1024,\"[834.0, 222.0, 56.0, 36.0]\",usask_1\n"
                 "b6a,1024,1024,,usask_1\n");
    tn_dataset *d = open_here("x.csv", NULL, NULL);
    assert_string_equal(info_of(d).variant, "xywh");
    has(d, 1, 1, 0);
    has_box(d, 0, 834, 222, 890, 258);
    assert_true(has_text(tn_dataset_text(d, 0, TN_TEXT_EXTRA, 0),
                         "\"source\": \"usask_1\""));
    tn_dataset_close(d);
    put("x.csv", "image,label,bbox\n1.jpg,a,\"[10,1,12,2]\"\n"
                 "1.jpg,a,\"1,20,3,30\"\n2.jpg,b,0 0 11 11\n");
    d = open_here("x.csv", "csv", "xyxy");
    has_box(d, 1, 1, 20, 3, 30);
    has_box(d, 2, 0, 0, 11, 11);
    tn_dataset_close(d);
}

static void no_header_is_retinanet(void **state)
{
    (void)state;
    put("set/train.csv", "/data/imgs/img_001.jpg,837,346,981,456,cow\n"
                         "/data/imgs/img_002.jpg,215,312,279,391,cat\n"
                         "/data/imgs/img_002.jpg,22,5,89,84,bird\n"
                         "/data/imgs/img_003.jpg,,,,,\n\n");
    put("set/classes.csv", "cow,0\ncat,1\nbird,2\n");
    put("set/images/img_001.jpg", "");
    tn_dataset *d = open_here("set", NULL, NULL);
    assert_string_equal(info_of(d).variant, "retinanet");
    has(d, 3, 3, 3);
    assert_string_equal(class_name(d, 0), "cow");
    assert_string_equal(class_name(d, 2), "bird");
    assert_string_equal(tn_dataset_split(d, 0), "train");
    assert_int_equal(image_of(d, 2).state, TN_STATE_EMPTY);
    assert_non_null(image_of(d, 0).file);
    convert_here(d, "out", "csv", "retinanet", "image-names");
    file_is("out/train/_annotations.csv",
            "data/imgs/img_001.jpg,837,346,981,456,cow\n"
            "data/imgs/img_002.jpg,215,312,279,391,cat\n"
            "data/imgs/img_002.jpg,22,5,89,84,bird\n"
            "data/imgs/img_003.jpg,,,,,\n");
    file_is("out/train/_classes.csv", "cow,0\ncat,1\nbird,2\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    assert_string_equal(class_name(back, 0), "cow");
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void classes_in_columns(void **state)
{
    (void)state;
    put("set/train/_classes.csv", "filename, cat, dog, no\n"
                                  "a.jpg, 1, 0, 0\nb.jpg, 1, 1, 0\n"
                                  "c.jpg, 0, 0, 0\n");
    put("set/train/d.jpg", "");
    put("set/train/a.jpg", "");
    tn_dataset *d = open_here("set", NULL, NULL);
    assert_string_equal(info_of(d).variant, "multiclass");
    has(d, 4, 3, 3);
    assert_int_equal(image_of(d, 2).state, TN_STATE_EMPTY);
    assert_int_equal(image_of(d, 3).state, TN_STATE_UNKNOWN);
    assert_string_equal(image_of(d, 3).name, "d.jpg");
    convert_here(d, "out", "csv", NULL, "unlabelled-images");
    file_is("out/train/_classes.csv", "filename, cat, dog, no\n"
                                      "a.jpg, 1, 0, 0\nb.jpg, 1, 1, 0\n"
                                      "c.jpg, 0, 0, 0\nd.jpg, 0, 0, 0\n");
    tn_dataset_close(d);
}

/* Tags in another order than the columns are read back in theirs. */
static void tags_in_any_order(void **state)
{
    (void)state;
    put("x.json",
        "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"z\", "
        "\"k\": 1}, {\"label\": \"a, b\", \"k\": 2}]}]");
    tn_dataset *d = open_here("x.json", "createml", NULL);
    convert_here(d, "out", "csv", NULL, "unknown-fields");
    file_is("out/_classes.csv", "filename,\"a, b\", z\na.jpg, 1, 1\n");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 1, 2, 2);
    assert_int_equal(ann_of(back, 0).class_index, 0);
    assert_true(
        has_text(tn_dataset_text(back, 0, TN_TEXT_EXTRA, 0), "\"k\": 2"));
    assert_true(
        has_text(tn_dataset_text(back, 1, TN_TEXT_EXTRA, 0), "\"k\": 1"));
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void file_and_class(void **state)
{
    (void)state;
    static const char *const tables[] = {
        "filename,label\na.jpg,no\nb.jpg,1\n", "id,breed\na,no\nb,1\n",
        "a.jpg,no\nb.jpg,1\n", "image;class\na.jpg;no\nb.jpg;1\n"};
    put("a.jpg", "");
    put("b.jpg", "");
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        put("x.csv", tables[i]);
        tn_dataset *d = open_here("x.csv", NULL, NULL);
        assert_string_equal(info_of(d).variant, "classification");
        has(d, 2, 2, 2);
        assert_string_equal(image_of(d, 0).name, "a.jpg");
        assert_non_null(image_of(d, 1).file);
        assert_string_equal(class_name(d, 0), "1");
        assert_string_equal(class_name(d, 1), "no");
        assert_true((ann_of(d, 0).flags & TN_IS_TAG) != 0);
        convert_here(d,
                     i == 0   ? "o0"
                     : i == 1 ? "o1"
                     : i == 2 ? "o2"
                              : "o3",
                     "csv", NULL, "");
        tn_dataset_close(d);
    }
    file_is("o0/_annotations.csv", "filename,class\na.jpg,no\nb.jpg,1\n");
}

static void automl_lists(void **state)
{
    (void)state;
    put("set/import.csv", "TRAIN,train/a.jpg,cat,0.1,0.25,,,0.4,0.75,,\n"
                          "VALIDATION,gs://b/val/b.jpg,dog,0,0,1,0,1,1,0,1\n"
                          "TEST,test/c.jpg,,,,,,,,,\n"
                          "UNASSIGNED,d.jpg,cat\n"
                          "training,e.jpg,cat,dog\n");
    put("set/train/a.jpg", "");
    tn_dataset *d = open_here("set", NULL, NULL);
    assert_string_equal(info_of(d).variant, "automl");
    has(d, 5, 5, 2);
    assert_int_equal(info_of(d).n_splits, 3);
    assert_string_equal(tn_dataset_split(d, 1), "validation");
    assert_string_equal(image_of(d, 0).name, "a.jpg");
    assert_non_null(image_of(d, 0).file);
    assert_int_equal(image_of(d, 2).state, TN_STATE_EMPTY);
    assert_int_equal(image_of(d, 3).splits, 0);
    assert_int_equal(ann_of(d, 1).box_scale, TN_SCALE_UNIT);
    assert_true(ann_of(d, 1).box[2] == 1.0);
    convert_here(d, "out", "csv", "automl", "image-names");
    file_is("out/import.csv",
            "TRAIN,train/a.jpg,cat,0.1,0.25,,,0.4,0.75,,\n"
            "VALIDATION,validation/gs:/b/val/b.jpg,dog,0,0,,,1,1,,\n"
            "TEST,test/c.jpg,,,,,,,,,\n"
            "UNASSIGNED,d.jpg,cat,,,,,,,,\n"
            "TRAIN,train/e.jpg,cat,,,,,,,,\n"
            "TRAIN,train/e.jpg,dog,,,,,,,,\n");
    tn_dataset_close(d);
}

static void splits_by_column_and_by_file(void **state)
{
    (void)state;
    put("x.csv", "filename,class,split\na.jpg,x,train\nb.jpg,x,fold 1\n"
                 "c.jpg,x,\n");
    tn_dataset *d = open_here("x.csv", NULL, NULL);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_string_equal(tn_dataset_split(d, 1), "fold 1");
    assert_int_equal(image_of(d, 2).splits, 0);
    tn_dataset_close(d);
    put("set/data/train_labels.csv", TF "a.jpg,9,9,x,1,2,3,4\n");
    put("set/data/test_labels.csv", TF "b.jpg,9,9,x,1,2,3,4\n");
    put("set/data/labels.csv", TF "a.jpg,9,9,x,1,2,3,4\nb.jpg,9,9,x,1,2,3,4\n");
    put("set/data/other.csv", "id,when\n1,2\n");
    put("set/images/a.jpg", "");
    put("set/images/b.jpg", "");
    put("set/images/u.jpg", "");
    d = open_here("set", NULL, NULL);
    has(d, 3, 2, 1);
    assert_int_equal(info_of(d).n_splits, 2);
    assert_non_null(note_of(d, "table-unused", NULL));
    assert_non_null(note_of(d, "other-file", NULL));
    assert_int_equal(image_of(d, 2).splits, 0);
    assert_non_null(image_of(d, 1).file);
    tn_dataset_close(d);
}

/* --- what is open ------------------------------------------------------------ */

static void nothing_is_guessed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says, *variant;
    } cases[] = {
        {TF "a.jpg,640,480,x,0.1,0.2,0.5,0.8\n", "csv:xyxy, csv:xyxy-unit",
         "xyxy-unit"},
        {"a.jpg,0,0,1,1,x\n", "csv:xyxy, csv:xyxy-unit", "retinanet"},
        {"image,x,y,w,h,label\na.jpg,0,0,1,1,x\n", "csv:xywh, csv:xywh-unit",
         "xywh"},
        {"image,bbox,label\na.jpg,\"[1, 2, 30, 40]\",x\n", "csv:xyxy, csv:xywh",
         "xywh"},
        {"a.jpg,x,1,2,30,40\n", "csv:xyxy, csv:xywh", "xywh"},
        {"image,bbox,label\na.jpg,\"[0, 0, 1, 1]\",x\n",
         "csv:xyxy, csv:xyxy-unit, csv:xywh, csv:xywh-unit", "xywh-unit"},
        {"image,width,height,bbox,label\na.jpg,40,40,\"[50, 0, 10, 10]\",x\n",
         "fit none of the ways", "xywh"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("x.csv", cases[i].text);
        is_refused("x.csv", "csv", NULL, cases[i].says);
        assert_non_null(strstr(err.message, "--from"));
        tn_dataset *d = open_here("x.csv", "csv", cases[i].variant);
        assert_string_equal(info_of(d).variant, cases[i].variant);
        tn_dataset_close(d);
    }
}

static void numbers_that_decide(void **state)
{
    (void)state;
    put("x.csv", "image,width,height,bbox,label\n"
                 "a.jpg,50,50,\"[30, 30, 45, 45]\",x\n");
    tn_dataset *d = open_here("x.csv", NULL, NULL);
    assert_string_equal(info_of(d).variant, "xyxy");
    tn_dataset_close(d);
    /* A part that decides for one that cannot. */
    put("set/train.csv", TF "a.jpg,50,50,x,10,10,20,20\n");
    put("set/test.csv", TF "b.jpg,50,50,x,0,0,1,1\n");
    d = open_here("set", NULL, NULL);
    assert_string_equal(info_of(d).variant, "xyxy");
    has_box(d, 0, 0, 0, 1, 1);
    tn_dataset_close(d);
    is_refused("set/test.csv", "csv", NULL, "more than one way");
    /* Names of columns stand against odd boxes: x1 > x2, outside, empty. */
    put("x.csv", TF "a.jpg,50,50,x,30,10,20,20\na.jpg,50,50,x,-5,1,99,1\n");
    d = open_here("x.csv", NULL, NULL);
    assert_true(ann_of(d, 0).box[0] == 30.0);
    tn_dataset_close(d);
    /* Coordinates a little outside are parts of the image all the same. */
    put("x.csv", TF "a.jpg,50,50,x,-0.005,0,1.02,1\n");
    is_refused("x.csv", "csv", NULL, "more than one way");
}

static void refuses_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {TF "a.jpg,9,9,x,1,2,3\n", "line 2: found 7 fields, expected 8"},
        {TF "a.jpg,9,9,x,1,2,3,4,5\n", "line 2: found 9 fields, expected 8"},
        {TF "a.jpg,9,9,x,1,2,,4\n", "line 2: a box has 3 of its four numbers"},
        {TF "a.jpg,9,9,x,1,nan,3,4\n", "found 'nan' as ymin"},
        {TF "a.jpg,9,9,x,1,1e400,3,4\n", "found '1e400' as ymin"},
        {TF "a.jpg,9,9,x,1,\"1,5\",3,4\n", "found '1,5' as ymin"},
        {TF "a.jpg,9.5,9,x,1,2,3,4\n", "found '9.5' as an image's size"},
        {TF "a.jpg,-9,9,x,1,2,3,4\n", "found '-9' as an image's size"},
        {TF "\n\n,9,9,x,1,2,3,4\n", "line 4: a row without the name"},
        {TF "\"a.jpg,9,9,x,1,2,3,4\n", "line 2: a quote is opened"},
        {TF "a\xff.jpg,9,9,x,1,2,3,4\n", "byte 49 is not UTF-8"},
        {"", "no table of images"},
        {"when,what\n1,2\n", "no table of images"},
        {"\"", "a quote is opened"},
        {"image,bbox\na.jpg,\"[1,2,3]\"\n", "found '[1,2,3]' as a box"},
        {"image,bbox\na.jpg,\"[1,2,3,x]\"\n", "found '[1,2,3,x]' as a box"},
        {"image,class,score\na.jpg,x,high\n", "found 'high' as score"},
        {"filename,a,b\na.jpg,0,1\nb.jpg,0,2\n", "no table of images"},
        {"TRAIN,a.jpg,x,0.1,0.1,,,0.2,,,\n", "without all of its corners"},
        {"TRAIN,a.jpg,x,0.1,0.1,0.2,0.2,0.2,0.3,0,0\n", "no upright box"},
        {"TRAIN,a.jpg,x\nTRAIN\n", "line 2: found 1 fields"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("x.csv", cases[i].text);
        is_refused("x.csv", "csv", NULL, cases[i].says);
    }
    put("x.csv", "filename,a,b\na.jpg,0,1\nb.jpg,0,2\n");
    is_refused("x.csv", "csv", "multiclass", "found '2' for class 'b'");
    put("none/x.txt", "");
    is_refused("none", "csv", NULL, "the folder has no table");
    put("two/a.csv", "filename,label\na.jpg,x\n");
    put("two/b.csv", "filename,label\na.jpg,x\n");
    is_refused("two", "csv", NULL, "image 'a.jpg' is in");
    put("map/my_classes.csv", "a,0\nb,x\n");
    put("map/x.csv", "a.jpg,10,20,30,40,a\n");
    is_refused("map", "csv", NULL, "found 2 fields in a list of classes");
}

static void paths_stay_inside(void **state)
{
    (void)state;
    put("secret.jpg", "");
    put("in/in/x.csv", "filename,label\n../../secret.jpg,x\n");
    tn_dataset *d = open_here("in/in/x.csv", NULL, NULL);
    assert_null(image_of(d, 0).file);
    tn_dataset_close(d);
}

static void names_on_other_machines(void **state)
{
    (void)state;
    put("set/x.csv", "filename,label\nC:\\data\\imgs\\a b.jpg,x\n");
    put("set/imgs/a b.jpg", "");
    tn_dataset *d = open_here("set", NULL, NULL);
    has(d, 1, 1, 1);
    assert_non_null(image_of(d, 0).file);
    assert_string_equal(image_of(d, 0).name, "C:\\data\\imgs\\a b.jpg");
    tn_dataset_close(d);
}

/* --- writing ------------------------------------------------------------- */

static void what_columns_cannot_say_is_a_loss(void **state)
{
    (void)state;
    static const char form[] =
        "[{\"image\": \"a.jpg\", \"annotations\": [{\"label\": \"x\", %s, "
        "\"coordinates\": {\"x\": 50, \"y\": 50, \"width\": 21, \"height\": "
        "20}}]}]";
    static const char *const members[] = {
        "\"width\": 5", "\"k\": null", "\"k\": {}",       "\"k\": \"5\"",
        "\"k\": \"\"",  "\"k\": true", "\"Label\": \"b\""};
    char text[400];
    tn_dataset *d;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        (void)snprintf(text, sizeof text, form, members[i]);
        put("x.json", text);
        d = open_here("x.json", "createml", NULL);
        is_not_converted(d, "out", "csv", NULL, "1 unknown-fields");
        tn_dataset_close(d);
    }
    (void)snprintf(text, sizeof text, form, "\"k\\n\": \"a\\u00e9 \"");
    put("x.json", text);
    d = open_here("x.json", "createml", NULL);
    convert_here(d, "out", "csv", NULL, "");
    tn_dataset *back = open_here("out", "csv", "xyxy");
    assert_true(has_text(tn_dataset_text(back, 0, TN_TEXT_EXTRA, 0),
                         "\"k\\n\": \"a\xc3\xa9 \""));
    tn_dataset_close(back);
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    char file[TMP_PATH];
    static const struct {
        const char *variant, *says;
    } cases[] = {{"retinanet", "not in whole pixels (39.5)"},
                 {"xyxy-unit", "size of image 'a.jpg' is not known"}};
    for (size_t i = 0; i < 2; i++) {
        tmp_path(file, dir, "never");
        o.format = "csv";
        o.variant = cases[i].variant;
        o.allow_loss = "all";
        memset(&err, 0, sizeof err);
        assert_int_equal(tn_dataset_convert(&c, d, file, &o, &err),
                         TN_EUNSUPPORTED);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s", err.message);
        tn_conversion_free(c);
    }
    tn_dataset_close(d);
}

static void unwritable_names(void **state)
{
    (void)state;
    put("x.json", "[{\"image\": \"a.jpg\", \"annotations\": "
                  "[{\"label\": \"\"}]}]");
    tn_dataset *d = open_here("x.json", "createml", NULL);
    is_not_converted(d, "out", "csv", "all", "a class without a name");
    tn_dataset_close(d);
    put("x.csv", "filename,class\na,x\n");
    d = open_here("x.csv", "csv", NULL);
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_conversion *c = NULL;
    char file[TMP_PATH];
    tmp_path(file, dir, "never");
    o.format = "csv";
    o.variant = "automl";
    assert_int_equal(tn_dataset_convert(&c, d, file, &o, &err),
                     TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "does not end like an image"));
    tn_conversion_free(c);
    tn_dataset_close(d);
}

static void coco_comes_back_by_the_residue(void **state)
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
    convert_here(d, "out", "csv", NULL, "all");
    tn_dataset *back = open_here("out", NULL, NULL);
    has(back, 2, 1, 2);
    assert_int_equal(image_of(back, 0).id.number, 7);
    assert_int_equal(ann_of(back, 0).id.number, 5);
    assert_int_equal(tn_dataset_shape_kind(back, 0), TN_SHAPE_POLYGON);
    assert_int_equal(image_of(back, 1).state, TN_STATE_UNKNOWN);
    tn_dataset_close(back);
    tn_dataset_close(d);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    survives_oom(GOLDEN "csv", "csv");
}

static void shared_fixtures(void **state)
{
    (void)state;
    static const shared_row rows[] = {
        {"panlabel-fixtures/sample_valid.automl_vision.csv", 2, 3, 2},
        {"panlabel-fixtures/sample_valid.kaggle_wheat.csv", 2, 3, 0},
        {"panlabel-fixtures/sample_valid.retinanet.csv", 2, 3, 2},
        {"panlabel-fixtures/sample_valid.udacity.csv", 2, 3, 3},
        {"panlabel-fixtures/sample_valid.vott.csv", 2, 2, 2},
        {"datumaro-assets/kaggle_dataset/image_csv/ann.csv", 5, 5, 2},
        {"datumaro-assets/kaggle_dataset/image_csv/ann_wo_ext.csv", 5, 5, 2},
        {"datumaro-assets/kaggle_dataset/image_csv_det/ann.csv", 3, 6, 2},
        {"datumaro-assets/kaggle_dataset/image_csv_det/ann2.csv", 3, 6, 2},
        {"datumaro-assets/kaggle_dataset/image_csv_multi_label/ann.csv", 6, 9,
         3},
        {"datumaro-assets/roboflow_dataset/multiclass", 3, 4, 2},
        {"datumaro-assets/vott_csv_dataset/dataset", 4, 5, 2},
    };
    check_shared(rows, sizeof rows / sizeof rows[0], NULL);
    char file[1024];
    (void)snprintf(file, sizeof file,
                   "%s/datasets/panlabel-fixtures/sample_valid.tfod.csv",
                   TEST_DATA);
    assert_null(try_variant(file, NULL, NULL));
    assert_non_null(strstr(err.message, "csv:xyxy-unit"));
    tn_dataset *d = open_variant(file, "csv", "xyxy-unit");
    has_box(d, 0, 64, 96, 320, 384);
    tn_dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_golden),
        IN_FOLDER(writes_what_it_read),
        IN_FOLDER(one_file_keeps_the_split_of_its_name),
        IN_FOLDER(spellings_of_columns),
        IN_FOLDER(sizes_of_boxes_and_of_images),
        IN_FOLDER(names_of_columns_say_parts_of_the_image),
        IN_FOLDER(bbox_in_one_column),
        IN_FOLDER(no_header_is_retinanet),
        IN_FOLDER(classes_in_columns),
        IN_FOLDER(tags_in_any_order),
        IN_FOLDER(file_and_class),
        IN_FOLDER(automl_lists),
        IN_FOLDER(splits_by_column_and_by_file),
        IN_FOLDER(nothing_is_guessed),
        IN_FOLDER(numbers_that_decide),
        IN_FOLDER(refuses_broken),
        IN_FOLDER(paths_stay_inside),
        IN_FOLDER(names_on_other_machines),
        IN_FOLDER(what_columns_cannot_say_is_a_loss),
        IN_FOLDER(unwritable_names),
        IN_FOLDER(coco_comes_back_by_the_residue),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(shared_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
