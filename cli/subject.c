/* SPDX-License-Identifier: Apache-2.0 */
/* subject.c - the model a command works on, its session and its inputs */
#include "subject.h"

#include <stdlib.h>
#include <string.h>

int subject_open(subject *s, const cli *c, const char *path, uint32_t flags)
{
    memset(s, 0, sizeof *s);
    tn_err err;
    memset(&err, 0, sizeof err);
    long threads = 0, mib = 0;
    if (!cli_get_long(c, "threads", 0, 0, 1024, &threads) ||
        !cli_get_long(c, "memory-limit", 0, 0, 1L << 20, &mib))
        return CLI_USAGE;
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.n_threads = (int)threads;
    opts.flags = flags;
    opts.run_limit_bytes = (uint64_t)mib << 20;
    if (cli_has(c, "no-optimize")) opts.flags |= TN_SESSION_NO_OPTIMIZE;
    if (cli_has(c, "exact")) opts.flags |= TN_SESSION_EXACT;
    if (cli_has(c, "reference")) opts.flags |= TN_SESSION_REFERENCE;
    const char *precision = cli_get(c, "precision", "float32");
    if (strcmp(precision, "bf16") == 0) {
        opts.flags |= TN_SESSION_BF16;
    } else if (strcmp(precision, "float32") != 0) {
        cli_error("unknown precision '%s'; known: float32, bf16", precision);
        return CLI_USAGE;
    }
    if (cli_has(c, "exact") && (opts.flags & TN_SESSION_BF16) != 0) {
        cli_error("--exact and --precision bf16 exclude each other");
        return CLI_USAGE;
    }
    const char *isa = cli_get(c, "isa", getenv("TN_CPU"));
    if (isa != NULL && isa[0] != '\0' &&
        tn_isa_parse(&opts.isa_mask, isa, &err) != TN_OK) {
        cli_error("%s", err.message);
        return CLI_USAGE;
    }
    const uint64_t start = cli_now_ns();
    if (tn_model_open(&s->model, path, NULL, &err) != TN_OK)
        return cli_fail(&err);
    if (tn_session_new(&s->session, s->model, &opts, &err) != TN_OK ||
        tn_run_new(&s->run, s->session, &err) != TN_OK) {
        if (err.where[0] == '\0')
            (void)snprintf(err.where, sizeof err.where, "%.170s", path);
        return cli_fail(&err);
    }
    s->load_ns = cli_now_ns() - start;
    s->n_inputs = tn_model_n_inputs(s->model);
    s->n_outputs = tn_model_n_outputs(s->model);
    s->inputs = cli_alloc((s->n_inputs + 1) * sizeof *s->inputs);
    return CLI_OK;
}

void subject_close(subject *s)
{
    tn_run_free(s->run);
    tn_session_free(s->session);
    tn_model_close(s->model);
    for (size_t i = 0; s->inputs != NULL && i < s->n_inputs; i++)
        tn_tensor_free(s->inputs[i]);
    free(s->inputs);
    memset(s, 0, sizeof *s);
}

void subject_json_plan(cli_json *j, const tn_plan_info *plan)
{
    cli_json_int(j, "weights_bytes", (int64_t)plan->weights_bytes);
    cli_json_int(j, "packed_bytes", (int64_t)plan->packed_bytes);
    cli_json_int(j, "activations_peak_bytes", (int64_t)plan->activation_bytes);
    cli_json_int(j, "scratch_bytes", (int64_t)plan->scratch_bytes);
    cli_json_int(j, "total_bytes", (int64_t)plan->total_bytes);
}

static const char *input_name(const subject *s, size_t i)
{
    tn_value_info info;
    return tn_model_input(s->model, i, &info) == TN_OK ? info.name : "?";
}

static int unknown_input(const subject *s, const char *name)
{
    const char **names = cli_alloc((s->n_inputs + 1) * sizeof *names);
    for (size_t i = 0; i < s->n_inputs; i++) names[i] = input_name(s, i);
    const char *near = cli_nearest(name, names, s->n_inputs);
    if (near == NULL && s->n_inputs == 1) near = names[0];
    if (near != NULL)
        cli_error("the model has no input '%s'; did you mean '%s'?", name,
                  near);
    else
        cli_error("the model has no input '%s'; 'tenon inspect' lists them",
                  name);
    free(names);
    return CLI_INPUT;
}

tn_tensor *subject_retag(tn_tensor *value, const tn_value_info *info)
{
    if (value == NULL || tn_tensor_kind(value) != TN_KIND_TENSOR ||
        info->kind != TN_KIND_TENSOR)
        return value;
    const tn_dtype has = tn_tensor_dtype(value), wants = info->dtype;
    const bool bits16 = has == TN_U16 && (wants == TN_BF16 || wants == TN_F16);
    const bool bits8 = has == TN_U8 && wants >= TN_F8E4M3FN &&
                       wants <= TN_F8E5M2FNUZ;
    tn_tensor *copy = NULL;
    tn_err err;
    if ((!bits16 && !bits8 && !(has == TN_U8 && wants == TN_F8E8M0)) ||
        tn_tensor_new(&copy, wants, tn_tensor_rank(value),
                      tn_tensor_dims(value), NULL, &err) != TN_OK)
        return value;
    memcpy(tn_tensor_data(copy), tn_tensor_cdata(value),
           tn_tensor_size(value));
    tn_tensor_free(value);
    return copy;
}

int subject_set_input(subject *s, const char *name, tn_tensor *value)
{
    const long i = tn_model_find_input(s->model, name);
    if (i < 0) {
        tn_tensor_free(value);
        return unknown_input(s, name);
    }
    tn_value_info info;
    if (tn_model_input(s->model, (size_t)i, &info) == TN_OK)
        value = subject_retag(value, &info);
    tn_tensor_free(s->inputs[i]);
    s->inputs[i] = value;
    return CLI_OK;
}

typedef struct npz_ctx {
    subject *s;
    int code;
} npz_ctx;

static tn_status take_member(void *ctx, const char *name, tn_tensor *value)
{
    npz_ctx *n = ctx;
    if (tn_model_find_input(n->s->model, name) < 0) {
        /* Expected outputs may be kept beside the inputs. */
        if (tn_model_find_output(n->s->model, name) >= 0) {
            tn_tensor_free(value);
            return TN_OK;
        }
    }
    n->code = subject_set_input(n->s, name, value);
    return n->code == CLI_OK ? TN_OK : TN_ENOTFOUND;
}

static bool ends_with(const char *text, const char *suffix)
{
    const size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static int read_one(subject *s, const char *name, const char *path)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    tn_read_opts opts = TN_READ_OPTS_INIT;
    const long i = tn_model_find_input(s->model, name);
    if (i < 0) return unknown_input(s, name);
    tn_value_info info;
    if (tn_model_input(s->model, (size_t)i, &info) == TN_OK)
        opts.kind = info.kind;
    if (ends_with(path, ".npz")) opts.member = name;
    tn_tensor *value = NULL;
    tn_status status = tn_tensor_read(&value, path, &opts, &err);
    if (status == TN_ENOTFOUND && opts.member != NULL) {
        opts.member = NULL; /* an archive with one array under another name */
        tn_err second;
        memset(&second, 0, sizeof second);
        if (tn_tensor_read(&value, path, &opts, &second) == TN_OK)
            status = TN_OK;
    }
    if (status != TN_OK) return cli_fail(&err);
    return subject_set_input(s, name, value);
}

int subject_read_inputs(subject *s, const cli *c, const char *const *args,
                        int n)
{
    for (int k = 0; k < n; k++) {
        const char *eq = strchr(args[k], '=');
        int code = CLI_OK;
        if (eq != NULL) {
            const size_t len = (size_t)(eq - args[k]);
            char *name = cli_alloc(len + 1);
            memcpy(name, args[k], len);
            code = read_one(s, name, eq + 1);
            free(name);
        } else if (ends_with(args[k], ".npz")) {
            npz_ctx ctx = {s, CLI_OK};
            tn_err err;
            memset(&err, 0, sizeof err);
            if (tn_npz_read(args[k], NULL, take_member, &ctx, &err) != TN_OK)
                return ctx.code != CLI_OK ? ctx.code : cli_fail(&err);
        } else if (s->n_inputs == 1) {
            code = read_one(s, input_name(s, 0), args[k]);
        } else {
            cli_error("%s: '%s' does not say which of the %zu inputs it is: "
                      "write NAME=FILE",
                      c->command->name, args[k], s->n_inputs);
            return CLI_USAGE;
        }
        if (code != CLI_OK) return code;
    }
    return CLI_OK;
}

/* --- made-up inputs ---------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    /* splitmix64 */
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int64_t given_dim(const cli *c, const char *name)
{
    if (name == NULL) return -1;
    const size_t len = strlen(name);
    for (int k = 0;; k++) {
        const char *text = cli_get_nth(c, "dim", k);
        if (text == NULL) return -1;
        if (strncmp(text, name, len) != 0 || text[len] != '=') continue;
        char *end = NULL;
        const long long v = strtoll(text + len + 1, &end, 10);
        return *end == '\0' && v >= 0 ? (int64_t)v : -2;
    }
}

/* Wide integers are 0 or 1: they are mostly indices and masks, and the
 * smallest table in use has two rows (BERT's token types). */
static void fill_random(tn_tensor *t, uint64_t *state)
{
    const int64_t n = tn_tensor_len(t);
    void *data = tn_tensor_data(t);
    for (int64_t i = 0; i < n; i++) {
        const uint64_t r = next_random(state);
        const double unit = (double)(r >> 11) * 0x1p-53;
        switch (tn_tensor_dtype(t)) {
        case TN_F32: ((float *)data)[i] = (float)(2.0 * unit - 1.0); break;
        case TN_F64: ((double *)data)[i] = 2.0 * unit - 1.0; break;
        case TN_F16: /* [1, 2) of either sign: exponent 15 */
            ((uint16_t *)data)[i] =
                (uint16_t)((r & 0x83ffu) | (14u << 10));
            break;
        case TN_BF16:
            ((uint16_t *)data)[i] =
                (uint16_t)((r & 0x807fu) | (126u << 7));
            break;
        case TN_I64: ((int64_t *)data)[i] = (int64_t)(r % 2u); break;
        case TN_U64: ((uint64_t *)data)[i] = r % 2u; break;
        case TN_I32: ((int32_t *)data)[i] = (int32_t)(r % 2u); break;
        case TN_U32: ((uint32_t *)data)[i] = (uint32_t)(r % 2u); break;
        case TN_I16: ((int16_t *)data)[i] = (int16_t)(r % 2u); break;
        case TN_U16: ((uint16_t *)data)[i] = (uint16_t)(r % 2u); break;
        case TN_BOOL: ((uint8_t *)data)[i] = (uint8_t)(r & 1u); break;
        case TN_U8: ((uint8_t *)data)[i] = (uint8_t)(r & 255u); break;
        case TN_I8: ((int8_t *)data)[i] = (int8_t)(r & 127u); break;
        default: break; /* strings stay empty, small types zero */
        }
    }
}

static int make_random(subject *s, const cli *c, size_t i, long batch,
                       uint64_t seed)
{
    tn_value_info info;
    tn_err err;
    memset(&err, 0, sizeof err);
    if (tn_model_input(s->model, i, &info) != TN_OK) return CLI_INPUT;
    if (info.kind != TN_KIND_TENSOR || info.rank < 0) {
        cli_error("input '%s' is %s: random values need a tensor of known "
                  "rank, give %s=FILE",
                  info.name, info.type_text, info.name);
        return CLI_INPUT;
    }
    for (int d = 0; d < info.rank; d++) {
        if (info.dims[d] >= 0) continue;
        const int64_t given = given_dim(c, info.dim_names[d]);
        if (given == -2) {
            cli_error("--dim %s= needs a number", info.dim_names[d]);
            return CLI_USAGE;
        }
        info.dims[d] = given >= 0 ? given : d == 0 && batch > 0 ? batch : 1;
    }
    if (tn_tensor_new(&s->inputs[i], info.dtype, info.rank, info.dims, NULL,
                      &err) != TN_OK)
        return cli_fail(&err);
    uint64_t state = seed * 0x9e3779b9u + i;
    fill_random(s->inputs[i], &state);
    return CLI_OK;
}

int subject_fill_inputs(subject *s, const cli *c, bool always, long batch)
{
    long seed = 0;
    const bool asked = cli_has(c, "random");
    if (!cli_get_long(c, "random", 0, 0, 2147483647L, &seed)) return CLI_USAGE;
    for (size_t i = 0; i < s->n_inputs; i++) {
        if (s->inputs[i] != NULL) continue;
        if (!asked && !always) {
            tn_value_info info;
            if (tn_model_input(s->model, i, &info) != TN_OK) return CLI_INPUT;
            cli_error("input '%s' (%s) is not given: add %s=FILE (.npy, .npz "
                      "or .pb), or --random 1 to try random values",
                      info.name, info.type_text, info.name);
            return CLI_USAGE;
        }
        const int code = make_random(s, c, i, batch, (uint64_t)seed);
        if (code != CLI_OK) return code;
    }
    return CLI_OK;
}

int subject_bind(subject *s)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    for (size_t i = 0; i < s->n_inputs; i++)
        if (tn_run_set_input(s->run, i, s->inputs[i], &err) != TN_OK)
            return cli_fail(&err);
    return CLI_OK;
}
