/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inspect.c - what is in a model */
#include "subject.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    SUBJECT_OPTIONS,
    {"dim", 0, "NAME=N", "extent of a free dimension for the memory plan",
     true},
    {"graph", 0, NULL, "also print the optimised graph, a line per node",
     false},
};

/* What a session with --precision bf16 multiplies how, a line per node that
 * could: known once shapes are. */
static void print_precision(const subject *s, const tn_plan_info *plan)
{
    printf("precision  %zu of %zu steps with bf16 products\n",
           plan->n_bf16_steps, plan->n_steps);
    for (size_t i = 0; i < tn_run_profile_len(s->run); i++) {
        tn_profile_row row;
        if (tn_run_profile(s->run, i, &row) == TN_OK && row.detail[0] != '\0')
            printf("  %-28s %-20s %s\n", row.node, row.op, row.detail);
    }
}

/* Peak bytes of a run with the given or unit dimensions; -1 when that cannot
 * be told before a run. */
static double peak_bytes(const cli *c, const char *path, tn_plan_info *plan,
                         bool print)
{
    subject s;
    double peak = -1.0;
    const bool precise = print && cli_has(c, "precision");
    const uint32_t flags = precise ? TN_SESSION_PROFILE : 0;
    tn_err err;
    memset(&err, 0, sizeof err);
    memset(&s, 0, sizeof s);
    if (subject_open(&s, c, path, flags) == CLI_OK) {
        bool known = true;
        for (size_t i = 0; i < s.n_inputs; i++) {
            tn_value_info info;
            known = known && tn_model_input(s.model, i, &info) == TN_OK &&
                    info.kind == TN_KIND_TENSOR && info.rank >= 0;
        }
        if (known && subject_fill_inputs(&s, c, true, 1) == CLI_OK &&
            subject_bind(&s) == CLI_OK &&
            tn_run_prepare(s.run, &err) == TN_OK &&
            tn_run_plan_info(s.run, plan) == TN_OK)
            peak = (double)plan->peak_bytes;
        if (precise && peak >= 0.0) print_precision(&s, plan);
    }
    subject_close(&s);
    return peak;
}

static void print_line(void *ctx, const char *text)
{
    (void)ctx;
    printf("  %s\n", text);
}

static int print_graph(const cli *c, const char *path)
{
    subject s;
    tn_err err;
    memset(&err, 0, sizeof err);
    int code = subject_open(&s, c, path, 0);
    if (code == CLI_OK) {
        printf("optimised graph\n");
        if (tn_session_describe(s.session, print_line, NULL, &err) != TN_OK)
            code = cli_fail(&err);
    }
    subject_close(&s);
    return code;
}

static void print_values(const tn_model *m, bool inputs)
{
    const size_t n = inputs ? tn_model_n_inputs(m) : tn_model_n_outputs(m);
    printf("%s\n", inputs ? "inputs" : "outputs");
    for (size_t i = 0; i < n; i++) {
        tn_value_info info;
        if ((inputs ? tn_model_input(m, i, &info)
                    : tn_model_output(m, i, &info)) == TN_OK)
            printf("  %-28s %s\n", info.name, info.type_text);
    }
}

static void print_ops(const tn_model *m, const tn_model_info *info)
{
    printf("operators (%zu nodes, %zu kinds)\n", info->n_nodes, info->n_ops);
    for (size_t i = 0; i < info->n_ops; i++) {
        const char *domain, *name;
        size_t uses;
        int supported;
        if (tn_model_op(m, i, &domain, &name, &uses, &supported) != TN_OK)
            continue;
        const bool standard = strcmp(domain, "ai.onnx") == 0;
        printf("  %5zu  %s%s%s%s\n", uses, standard ? "" : domain,
               standard ? "" : ".", name,
               supported != 0 ? "" : "   NOT SUPPORTED");
    }
}

static void print_text(const cli *c, const tn_model *m, const char *path)
{
    tn_model_info info = TN_MODEL_INFO_INIT;
    char a[40], b[40], d[40], e[40], f[40];
    if (tn_model_get_info(m, &info) != TN_OK) return;
    printf("%s\n", path);
    if (info.producer_name[0] != '\0')
        printf("  made by %s %s", info.producer_name, info.producer_version);
    else
        printf("  no producer named");
    printf(", IR %lld", (long long)info.ir_version);
    for (size_t i = 0; i < info.n_opsets; i++) {
        const char *domain;
        int64_t version;
        if (tn_model_opset(m, i, &domain, &version) == TN_OK)
            printf(", %s %lld", domain, (long long)version);
    }
    printf("\n");
    print_values(m, true);
    print_values(m, false);
    printf("weights  %s in a file of %s\n",
           cli_bytes(a, sizeof a, (double)info.weights_bytes),
           cli_bytes(b, sizeof b, (double)info.file_bytes));
    for (int t = 1; t < TN_DTYPE_COUNT; t++) {
        const uint64_t bytes = tn_model_weights_bytes(m, (tn_dtype)t);
        if (bytes != 0)
            printf("  %-14s %s\n", tn_dtype_name((tn_dtype)t),
                   cli_bytes(a, sizeof a, (double)bytes));
    }
    print_ops(m, &info);
    if (info.n_unsupported == 0) {
        tn_plan_info plan = TN_PLAN_INFO_INIT;
        const double peak = peak_bytes(c, path, &plan, true);
        if (peak >= 0.0)
            printf("memory plan (free dimensions 1 unless --dim)\n"
                   "  weights %s, packed weights %s\n"
                   "  activations peak %s, scratch %s\n"
                   "  total %s\n"
                   "  %zu steps, %zu by the plain reference, %zu planned at "
                   "run\n",
                   cli_bytes(a, sizeof a, (double)plan.weights_bytes),
                   cli_bytes(b, sizeof b, (double)plan.packed_bytes),
                   cli_bytes(d, sizeof d, (double)plan.activation_bytes),
                   cli_bytes(e, sizeof e, (double)plan.scratch_bytes),
                   cli_bytes(f, sizeof f, (double)plan.total_bytes),
                   plan.n_steps, plan.n_reference_steps, plan.n_dynamic_steps);
    }
    if (info.n_metadata != 0) printf("metadata\n");
    for (size_t i = 0; i < info.n_metadata; i++) {
        const char *key, *value;
        if (tn_model_metadata(m, i, &key, &value) == TN_OK)
            printf("  %-20s %.200s\n", key, value);
    }
}

static void json_values(cli_json *j, const tn_model *m, bool inputs)
{
    const size_t n = inputs ? tn_model_n_inputs(m) : tn_model_n_outputs(m);
    cli_json_open(j, inputs ? "inputs" : "outputs", '[');
    for (size_t i = 0; i < n; i++) {
        tn_value_info info;
        if ((inputs ? tn_model_input(m, i, &info)
                    : tn_model_output(m, i, &info)) != TN_OK)
            continue;
        cli_json_open(j, NULL, '{');
        cli_json_string(j, "name", info.name);
        cli_json_string(j, "type", info.type_text);
        cli_json_string(j, "dtype", tn_dtype_name(info.dtype));
        if (info.rank >= 0) {
            cli_json_open(j, "shape", '[');
            for (int d = 0; d < info.rank; d++) {
                if (info.dims[d] >= 0)
                    cli_json_int(j, NULL, info.dims[d]);
                else if (info.dim_names[d] != NULL)
                    cli_json_string(j, NULL, info.dim_names[d]);
                else
                    cli_json_null(j, NULL);
            }
            cli_json_close(j, ']');
        } else {
            cli_json_null(j, "shape");
        }
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void json_ops(cli_json *j, const tn_model *m, const tn_model_info *info,
                     bool unsupported)
{
    cli_json_open(j, unsupported ? "unsupported" : "ops",
                  unsupported ? '[' : '{');
    for (size_t i = 0; i < info->n_ops; i++) {
        const char *domain, *name;
        size_t uses;
        int supported;
        if (tn_model_op(m, i, &domain, &name, &uses, &supported) != TN_OK)
            continue;
        char full[256];
        const bool standard = strcmp(domain, "ai.onnx") == 0;
        (void)snprintf(full, sizeof full, "%s%s%s", standard ? "" : domain,
                       standard ? "" : ".", name);
        if (!unsupported)
            cli_json_int(j, full, (int64_t)uses);
        else if (supported == 0)
            cli_json_string(j, NULL, full);
    }
    cli_json_close(j, unsupported ? ']' : '}');
}

static void print_json(const cli *c, const tn_model *m, const char *path)
{
    tn_model_info info = TN_MODEL_INFO_INIT;
    if (tn_model_get_info(m, &info) != TN_OK) return;
    cli_json j;
    cli_json_init(&j, stdout);
    cli_json_open(&j, NULL, '{');
    cli_json_string(&j, "model", path);
    cli_json_string(&j, "producer", info.producer_name);
    cli_json_string(&j, "producer_version", info.producer_version);
    cli_json_string(&j, "graph", info.graph_name);
    cli_json_string(&j, "doc", info.doc);
    cli_json_int(&j, "ir_version", info.ir_version);
    json_values(&j, m, true);
    json_values(&j, m, false);
    cli_json_open(&j, "opset", '{');
    for (size_t i = 0; i < info.n_opsets; i++) {
        const char *domain;
        int64_t version;
        if (tn_model_opset(m, i, &domain, &version) == TN_OK)
            cli_json_int(&j, domain, version);
    }
    cli_json_close(&j, '}');
    cli_json_int(&j, "nodes", (int64_t)info.n_nodes);
    json_ops(&j, m, &info, false);
    json_ops(&j, m, &info, true);
    cli_json_int(&j, "file_bytes", (int64_t)info.file_bytes);
    cli_json_int(&j, "weights_bytes", (int64_t)info.weights_bytes);
    cli_json_open(&j, "weights", '{');
    for (int t = 1; t < TN_DTYPE_COUNT; t++) {
        const uint64_t bytes = tn_model_weights_bytes(m, (tn_dtype)t);
        if (bytes != 0)
            cli_json_int(&j, tn_dtype_name((tn_dtype)t), (int64_t)bytes);
    }
    cli_json_close(&j, '}');
    tn_plan_info plan = TN_PLAN_INFO_INIT;
    const double peak =
        info.n_unsupported == 0 ? peak_bytes(c, path, &plan, false) : -1.0;
    if (peak >= 0.0)
        cli_json_int(&j, "peak_activation_bytes", (int64_t)peak);
    else
        cli_json_null(&j, "peak_activation_bytes");
    if (peak >= 0.0 && cli_has(c, "precision"))
        cli_json_int(&j, "bf16_steps", (int64_t)plan.n_bf16_steps);
    if (peak >= 0.0) {
        cli_json_open(&j, "memory", '{');
        subject_json_plan(&j, &plan);
        cli_json_close(&j, '}');
    }
    cli_json_open(&j, "metadata", '{');
    for (size_t i = 0; i < info.n_metadata; i++) {
        const char *key, *value;
        if (tn_model_metadata(m, i, &key, &value) == TN_OK)
            cli_json_string(&j, key, value);
    }
    cli_json_close(&j, '}');
    cli_json_close(&j, '}');
    cli_json_end(&j);
}

static int run(cli *c)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    tn_model *m = NULL;
    if (tn_model_open_lenient(&m, c->args[0], NULL, &err) != TN_OK)
        return cli_fail(&err);
    tn_model_info info = TN_MODEL_INFO_INIT;
    const bool known = tn_model_get_info(m, &info) == TN_OK;
    if (c->json)
        print_json(c, m, c->args[0]);
    else
        print_text(c, m, c->args[0]);
    const bool unsupported = known && info.n_unsupported != 0;
    tn_model_close(m);
    if (unsupported) return CLI_FOUND;
    if (cli_has(c, "graph") && !c->json) return print_graph(c, c->args[0]);
    return CLI_OK;
}

const cli_command cli_cmd_inspect = {
    .name = "inspect",
    .group = "Model",
    .summary = "inputs, outputs, operators, weights and memory of a model",
    .usage = "MODEL [--dim NAME=N] [--graph] [--json]",
    .details =
        "Operators this build cannot run are marked, and the exit code is 1.\n",
    .examples = "  tenon inspect model.onnx\n"
                "  tenon inspect model.onnx --dim batch=8 --json\n",
    CLI_OPTIONS(options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
