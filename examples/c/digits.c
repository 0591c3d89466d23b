/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digits.c - what a program that embeds Tenon looks like, whole
 *
 * Reads the model and images from `examples/digits-pytorch`, and prints what
 * digit each image shows. One session, one run context, no Python:
 *
 *     cc -std=c11 -Iinclude examples/c/digits.c -Lbuild -ltenon -o digits
 *     ./digits examples/digits-pytorch/model.onnx \
 *         examples/digits-pytorch/samples/digit_3.npy
 */
#include "tenon/tenon.h"

#include <stdio.h>

/* Prints what went wrong and where; gives the exit status for it. */
static int complain(const tn_err *err)
{
    fprintf(stderr, "%s: %s (%s)\n", err->where, err->message,
            tn_status_name(err->code));
    return 3;
}

/* The class with the highest probability of the last run. */
static void print_answer(const char *path, const tn_tensor *probability)
{
    int64_t best = 0;
    for (int64_t i = 1; i < tn_tensor_len(probability); i++)
        if (tn_tensor_get(probability, i) > tn_tensor_get(probability, best))
            best = i;
    printf("%s: %d (%.1f %%)\n", path, (int)best,
           100.0 * tn_tensor_get(probability, best));
}

/* Runs one image through the model. */
static int classify(tn_run *run, size_t output, const char *path)
{
    tn_err err = {TN_OK, 0, 0, "", ""};
    tn_tensor *image = NULL;
    if (tn_tensor_read(&image, path, NULL, &err) != TN_OK)
        return complain(&err);
    int code = 0;
    if (tn_run_set_input(run, 0, image, &err) != TN_OK ||
        tn_run_exec(run, &err) != TN_OK)
        code = complain(&err);
    else
        print_answer(path, tn_run_output(run, output));
    tn_tensor_free(image);
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: digits MODEL.onnx IMAGE.npy...\n");
        return 2;
    }
    tn_err err = {TN_OK, 0, 0, "", ""};
    tn_model *model = NULL;
    tn_session *session = NULL;
    tn_run *run = NULL;
    int code = 0;
    if (tn_model_open(&model, argv[1], NULL, &err) != TN_OK ||
        tn_session_new(&session, model, NULL, &err) != TN_OK ||
        tn_run_new(&run, session, &err) != TN_OK) {
        code = complain(&err);
    } else {
        const long output = tn_model_find_output(model, "probability");
        if (output < 0) {
            fprintf(stderr, "%s: no output named 'probability'\n", argv[1]);
            code = 3;
        }
        for (int i = 2; i < argc && !code; i++)
            code = classify(run, (size_t)output, argv[i]);
    }
    tn_run_free(run);
    tn_session_free(session);
    tn_model_close(model);
    return code;
}
