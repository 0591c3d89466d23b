/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_convert.c - a dataset in another format, with nothing lost silently */
#include "data_args.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    DATA_OPTIONS,
    {"to", 0, "FORMAT[:VARIANT]", "format to write (required)", false},
    {"images", 0, "copy|link|none", "what becomes of the image files (link)",
     false},
    {"allow-loss", 0, "CODE,...", "losses that are accepted; 'all'", false},
    {"dry-run", 0, NULL, "count what would be lost, write nothing", false},
    {"shard-images", 0, "N", "most images in a shard, where there are shards",
     false},
    {"shard-bytes", 0, "N", "most bytes of images in a shard", false},
    {"overwrite", 0, NULL, "replace DST when it exists", false},
    {"no-residue", 0, NULL, "keep no sidecar of what is lost", false},
    {"no-verify", 0, NULL, "do not read back and compare", false},
};

static bool parse_images(const cli *c, tn_files *out)
{
    const char *text = cli_get(c, "images", "link");
    *out = TN_FILES_LINK;
    if (strcmp(text, "link") == 0) return true;
    *out = TN_FILES_COPY;
    if (strcmp(text, "copy") == 0) return true;
    *out = TN_FILES_NONE;
    if (strcmp(text, "none") == 0) return true;
    cli_error("convert: --images is '%s', expected copy, link or none", text);
    return false;
}

static bool parse_numbers(const cli *c, tn_convert_opts *o)
{
    long images = 0, bytes = 0, threads = 0;
    if (!cli_get_long(c, "shard-images", 0, 1, LONG_MAX, &images) ||
        !cli_get_long(c, "shard-bytes", 0, 1, LONG_MAX, &bytes) ||
        !cli_get_long(c, "threads", 0, 0, 1024, &threads))
        return false;
    o->n_threads = (int)threads;
    o->shard_images = (uint64_t)images;
    o->shard_bytes = (uint64_t)bytes;
    return true;
}

static void print_losses(const tn_conversion *conversion, FILE *f)
{
    tn_loss l = TN_LOSS_INIT;
    for (size_t i = 0; tn_conversion_loss(conversion, i, &l) == TN_OK; i++)
        fprintf(f, "  %-20s %8llu  %s%s\n", l.code, (unsigned long long)l.count,
                l.message, l.allowed != 0 ? " (allowed)" : "");
}

static void print_text(const cli *c, const tn_conversion *conversion,
                       bool written)
{
    tn_conversion_info info = TN_CONVERSION_INFO_INIT;
    tn_conversion_get_info(conversion, &info);
    if (info.n_losses > 0) {
        printf("%s%s%s cannot hold:\n", info.format,
               info.variant != NULL ? ":" : "",
               info.variant != NULL ? info.variant : "");
        print_losses(conversion, stdout);
    } else {
        printf("nothing is lost\n");
    }
    if (!written) return;
    printf("wrote %s: %zu label files, %zu image files\n", c->args[1],
           info.n_files, info.n_images_written);
    if (info.n_renamed > 0)
        printf("  %zu images have another name there\n", info.n_renamed);
    if (info.residue != NULL)
        printf("  what is lost is kept in %s\n", info.residue);
    if (info.verified != 0)
        printf("read back: %llu annotations, none more than %.3g pixels off\n",
               (unsigned long long)info.n_compared, info.max_corner_error);
}

static void print_json(const cli *c, const tn_dataset *d,
                       const tn_conversion *conversion, bool written)
{
    cli_json j;
    tn_loss l = TN_LOSS_INIT;
    tn_conversion_info info = TN_CONVERSION_INFO_INIT;
    tn_conversion_get_info(conversion, &info);
    cli_json_init(&j, stdout);
    cli_json_open(&j, NULL, '{');
    cli_json_string(&j, "source", c->args[0]);
    cli_json_string(&j, "target", c->args[1]);
    cli_json_string(&j, "format", info.format);
    if (info.variant != NULL)
        cli_json_string(&j, "variant", info.variant);
    else
        cli_json_null(&j, "variant");
    cli_json_bool(&j, "written", written);
    cli_json_open(&j, "losses", '[');
    for (size_t i = 0; tn_conversion_loss(conversion, i, &l) == TN_OK; i++) {
        cli_json_open(&j, NULL, '{');
        cli_json_string(&j, "code", l.code);
        cli_json_int(&j, "count", (int64_t)l.count);
        cli_json_string(&j, "message", l.message);
        cli_json_bool(&j, "allowed", l.allowed != 0);
        cli_json_close(&j, '}');
    }
    cli_json_close(&j, ']');
    cli_json_bool(&j, "verified", info.verified != 0);
    cli_json_int(&j, "compared", (int64_t)info.n_compared);
    cli_json_number(&j, "max_error_pixels", info.max_corner_error);
    cli_json_int(&j, "files", (int64_t)info.n_files);
    cli_json_int(&j, "images", (int64_t)info.n_images_written);
    cli_json_int(&j, "bytes", (int64_t)info.bytes);
    cli_json_int(&j, "renamed", (int64_t)info.n_renamed);
    if (info.residue != NULL)
        cli_json_string(&j, "residue", info.residue);
    else
        cli_json_null(&j, "residue");
    data_notes(d, &j);
    cli_json_close(&j, '}');
    cli_json_end(&j);
}

/* Any loss that is not allowed? */
static bool refused(const tn_conversion *conversion)
{
    tn_loss l = TN_LOSS_INIT;
    for (size_t i = 0; tn_conversion_loss(conversion, i, &l) == TN_OK; i++)
        if (l.allowed == 0) return true;
    return false;
}

static int finish(cli *c, const tn_dataset *d, const tn_conversion *conversion,
                  tn_status status, tn_err *err)
{
    const bool dry = cli_has(c, "dry-run");
    if (conversion == NULL) return cli_fail(err);
    if (status != TN_OK && !(status == TN_EUNSUPPORTED && refused(conversion)))
        return cli_fail(err);
    const bool written = status == TN_OK && !dry;
    if (c->json) {
        print_json(c, d, conversion, written);
    } else {
        print_text(c, conversion, written);
        data_notes(d, NULL);
    }
    if (status != TN_OK) cli_error("nothing written: %s", err->message);
    return status != TN_OK || (dry && refused(conversion)) ? CLI_FOUND : CLI_OK;
}

static int run(cli *c)
{
    char buf[128];
    tn_err err;
    tn_dataset *d = NULL;
    tn_conversion *conversion = NULL;
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    memset(&err, 0, sizeof err);
    if (!cli_has(c, "to")) {
        cli_error("convert: --to FORMAT says what to write; 'tenon list "
                  "formats' lists them");
        return CLI_USAGE;
    }
    if (!parse_images(c, &o.images) || !parse_numbers(c, &o)) return CLI_USAGE;
    data_split_format(buf, sizeof buf, cli_get(c, "to", NULL), &o.format,
                      &o.variant);
    o.allow_loss = cli_get(c, "allow-loss", NULL);
    o.progress = data_progress;
    o.progress_ctx = c;
    if (cli_has(c, "dry-run")) o.flags |= TN_CONVERT_DRY_RUN;
    if (cli_has(c, "overwrite")) o.flags |= TN_CONVERT_OVERWRITE;
    if (cli_has(c, "no-residue")) o.flags |= TN_CONVERT_NO_RESIDUE;
    if (cli_has(c, "no-verify")) o.flags |= TN_CONVERT_NO_VERIFY;
    int code = data_open(&d, c, c->args[0]);
    if (code != CLI_OK) return code;
    const tn_status status =
        tn_dataset_convert(&conversion, d, c->args[1], &o, &err);
    data_progress_end(c);
    code = finish(c, d, conversion, status, &err);
    tn_conversion_free(conversion);
    tn_dataset_close(d);
    return code;
}

const cli_command cli_cmd_convert = {
    .name = "convert",
    .group = "Data",
    .summary = "write a dataset in another format, nothing lost silently",
    .usage = "SRC DST --to FORMAT[:VARIANT] [--allow-loss CODE,...] [--json]",
    .details =
        "Counts what DST's format cannot hold of this dataset and refuses "
        "(exit code 1) unless\nit is allowed. What is written is read back "
        "and compared before DST appears. What\nis lost is kept in a residue "
        "beside it and comes back when DST is read again.\n",
    .examples = "  tenon convert instances_val2017.json yolo/ --to yolo "
                "--dry-run\n"
                "  tenon convert yolo/ coco.json --to coco --allow-loss "
                "empty-images\n",
    CLI_OPTIONS(options),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
