/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reflection.c - descriptors of the services, made from a table when asked for
 *
 * A message is a line: its name, then its fields as "type name number". Types:
 * b bool, i int32, l int64, u uint32, v uint64, f float, d double, s string,
 * y bytes, .Name a message, #Name an enum; '*' in front repeats it, '%' is a map
 * from strings, '|' makes it one of the fields so marked.
 */
#include "serve/reflection.h"

#include "base/json.h"
#include "base/wire.h"

#include <string.h>

typedef struct file {
    const char *name, *package;
    const char *messages; /* lines */
    const char *enums;    /* "Name A B C" lines, numbered from 0 */
    /* "Service", then "Method Input Output" lines; '<' before an input and '>'
     * before an output stream it. */
    const char *service;
} file;

static const char inference_messages[] =
    "ServerLiveRequest\n"
    "ServerLiveResponse b live 1\n"
    "ServerReadyRequest\n"
    "ServerReadyResponse b ready 1\n"
    "ModelReadyRequest s name 1 s version 2\n"
    "ModelReadyResponse b ready 1\n"
    "ServerMetadataRequest\n"
    "ServerMetadataResponse s name 1 s version 2 *s extensions 3\n"
    "ModelMetadataRequest s name 1 s version 2\n"
    "TensorMetadata s name 1 s datatype 2 *l shape 3\n"
    "ModelMetadataResponse s name 1 *s versions 2 s platform 3 "
    "*.TensorMetadata inputs 4 *.TensorMetadata outputs 5\n"
    "InferParameter |b bool_param 1 |l int64_param 2 |s string_param 3 "
    "|d double_param 4 |v uint64_param 5\n"
    "InferTensorContents *b bool_contents 1 *i int_contents 2 "
    "*l int64_contents 3 *u uint_contents 4 *v uint64_contents 5 "
    "*f fp32_contents 6 *d fp64_contents 7 *y bytes_contents 8\n"
    "InferInputTensor s name 1 s datatype 2 *l shape 3 "
    "%.InferParameter parameters 4 .InferTensorContents contents 5\n"
    "InferRequestedOutputTensor s name 1 %.InferParameter parameters 2\n"
    "ModelInferRequest s model_name 1 s model_version 2 s id 3 "
    "%.InferParameter parameters 4 *.InferInputTensor inputs 5 "
    "*.InferRequestedOutputTensor outputs 6 *y raw_input_contents 7\n"
    "InferOutputTensor s name 1 s datatype 2 *l shape 3 "
    "%.InferParameter parameters 4 .InferTensorContents contents 5\n"
    "ModelInferResponse s model_name 1 s model_version 2 s id 3 "
    "%.InferParameter parameters 4 *.InferOutputTensor outputs 5 "
    "*y raw_output_contents 6\n"
    "ModelStreamInferResponse s error_message 1 "
    ".ModelInferResponse infer_response 2\n"
    "ModelConfigRequest s name 1 s version 2\n"
    "ModelConfigResponse .ModelConfig config 1\n"
    "ModelTensorReshape *l shape 1\n"
    "ModelInput s name 1 #DataType data_type 2 #Format format 3 *l dims 4 "
    ".ModelTensorReshape reshape 5 b optional 8\n"
    "ModelOutput s name 1 #DataType data_type 2 *l dims 3 "
    "s label_filename 4 .ModelTensorReshape reshape 5\n"
    "LatestVersions u num_versions 1\n"
    "AllVersions\n"
    "SpecificVersions *l versions 1\n"
    "ModelVersionPolicy |.LatestVersions latest 1 |.AllVersions all 2 "
    "|.SpecificVersions specific 3\n"
    "ModelInstanceGroup s name 1 i count 2 #InstanceKind kind 4\n"
    "ModelQueuePolicy v default_timeout_microseconds 2 "
    "b allow_timeout_override 3 u max_queue_size 4\n"
    "ModelDynamicBatching *i preferred_batch_size 1 "
    "v max_queue_delay_microseconds 2 b preserve_ordering 3 "
    "v priority_levels 4 v default_priority_level 5 "
    ".ModelQueuePolicy default_queue_policy 6\n"
    "ModelParameter s string_value 1\n"
    "ModelTransactionPolicy b decoupled 1\n"
    "ModelConfig s name 1 s platform 2 .ModelVersionPolicy version_policy 3 "
    "i max_batch_size 4 *.ModelInput input 5 *.ModelOutput output 6 "
    "*.ModelInstanceGroup instance_group 7 s default_model_filename 8 "
    "%s metric_tags 10 .ModelDynamicBatching dynamic_batching 11 "
    "%.ModelParameter parameters 14 s backend 17 "
    ".ModelTransactionPolicy model_transaction_policy 19\n"
    "ModelStatisticsRequest s name 1 s version 2\n"
    "StatisticDuration v count 1 v ns 2\n"
    "InferStatistics .StatisticDuration success 1 .StatisticDuration fail 2 "
    ".StatisticDuration queue 3 .StatisticDuration compute_input 4 "
    ".StatisticDuration compute_infer 5 .StatisticDuration compute_output 6 "
    ".StatisticDuration cache_hit 7 .StatisticDuration cache_miss 8\n"
    "InferBatchStatistics v batch_size 1 .StatisticDuration compute_input 2 "
    ".StatisticDuration compute_infer 3 .StatisticDuration compute_output 4\n"
    "MemoryUsage s type 1 l id 2 v byte_size 3\n"
    "ModelStatistics s name 1 s version 2 v last_inference 3 "
    "v inference_count 4 v execution_count 5 .InferStatistics "
    "inference_stats 6 *.InferBatchStatistics batch_stats 7 "
    "*.MemoryUsage memory_usage 8\n"
    "ModelStatisticsResponse *.ModelStatistics model_stats 1\n"
    "RepositoryIndexRequest s repository_name 1 b ready 2\n"
    "ModelIndex s name 1 s version 2 s state 3 s reason 4\n"
    "RepositoryIndexResponse *.ModelIndex models 1\n"
    "ModelRepositoryParameter |b bool_param 1 |l int64_param 2 "
    "|s string_param 3 |y bytes_param 4\n"
    "RepositoryModelLoadRequest s repository_name 1 s model_name 2 "
    "%.ModelRepositoryParameter parameters 3\n"
    "RepositoryModelLoadResponse\n"
    "RepositoryModelUnloadRequest s repository_name 1 s model_name 2 "
    "%.ModelRepositoryParameter parameters 3\n"
    "RepositoryModelUnloadResponse\n";

static const char inference_enums[] =
    "DataType TYPE_INVALID TYPE_BOOL TYPE_UINT8 TYPE_UINT16 TYPE_UINT32 "
    "TYPE_UINT64 TYPE_INT8 TYPE_INT16 TYPE_INT32 TYPE_INT64 TYPE_FP16 "
    "TYPE_FP32 TYPE_FP64 TYPE_STRING TYPE_BF16\n"
    "Format FORMAT_NONE FORMAT_NHWC FORMAT_NCHW\n"
    "InstanceKind KIND_AUTO KIND_GPU KIND_CPU KIND_MODEL\n";

static const char inference_service[] =
    "GRPCInferenceService\n"
    "ServerLive ServerLiveRequest ServerLiveResponse\n"
    "ServerReady ServerReadyRequest ServerReadyResponse\n"
    "ModelReady ModelReadyRequest ModelReadyResponse\n"
    "ServerMetadata ServerMetadataRequest ServerMetadataResponse\n"
    "ModelMetadata ModelMetadataRequest ModelMetadataResponse\n"
    "ModelInfer ModelInferRequest ModelInferResponse\n"
    "ModelStreamInfer <ModelInferRequest >ModelStreamInferResponse\n"
    "ModelConfig ModelConfigRequest ModelConfigResponse\n"
    "ModelStatistics ModelStatisticsRequest ModelStatisticsResponse\n"
    "RepositoryIndex RepositoryIndexRequest RepositoryIndexResponse\n"
    "RepositoryModelLoad RepositoryModelLoadRequest "
    "RepositoryModelLoadResponse\n"
    "RepositoryModelUnload RepositoryModelUnloadRequest "
    "RepositoryModelUnloadResponse\n";

static const char reflection_messages[] =
    "ServerReflectionRequest s host 1 |s file_by_filename 3 "
    "|s file_containing_symbol 4 |.ExtensionRequest "
    "file_containing_extension 5 |s all_extension_numbers_of_type 6 "
    "|s list_services 7\n"
    "ExtensionRequest s containing_type 1 i extension_number 2\n"
    "ServerReflectionResponse s valid_host 1 "
    ".ServerReflectionRequest original_request 2 "
    "|.FileDescriptorResponse file_descriptor_response 4 "
    "|.ExtensionNumberResponse all_extension_numbers_response 5 "
    "|.ListServiceResponse list_services_response 6 "
    "|.ErrorResponse error_response 7\n"
    "FileDescriptorResponse *y file_descriptor_proto 1\n"
    "ExtensionNumberResponse s base_type_name 1 *i extension_number 2\n"
    "ListServiceResponse *.ServiceResponse service 1\n"
    "ServiceResponse s name 1\n"
    "ErrorResponse i error_code 1 s error_message 2\n";

#define REFLECTION_SERVICE                                                     \
    "ServerReflection\n"                                                       \
    "ServerReflectionInfo <ServerReflectionRequest "                           \
    ">ServerReflectionResponse\n"

static const file files[] = {
    {"grpc_service.proto", "inference", inference_messages, inference_enums,
     inference_service},
    {"grpc/health/v1/health.proto", "grpc.health.v1",
     "HealthCheckRequest s service 1\n"
     "HealthCheckResponse #ServingStatus status 1\n",
     "ServingStatus UNKNOWN SERVING NOT_SERVING SERVICE_UNKNOWN\n",
     "Health\n"
     "Check HealthCheckRequest HealthCheckResponse\n"},
    {"grpc/reflection/v1/reflection.proto", "grpc.reflection.v1",
     reflection_messages, "", REFLECTION_SERVICE},
    {"grpc/reflection/v1alpha/reflection.proto", "grpc.reflection.v1alpha",
     reflection_messages, "", REFLECTION_SERVICE},
};
enum { FILES = sizeof files / sizeof *files };

/* --- words and lines ------------------------------------------------------ */

static bool next(tni_span *rest, char end, tni_span *out)
{
    if (rest->len == 0) return false;
    const char *at = memchr(rest->p, end, rest->len);
    out->p = rest->p;
    out->len = at != NULL ? (size_t)(at - rest->p) : rest->len;
    const size_t past = out->len + (at != NULL);
    rest->p += past;
    rest->len -= past;
    return true;
}

static void put_span(tni_proto *w, uint32_t field, tni_span s)
{
    tni_proto_bytes(w, field, s.p, s.len);
}

/* ".package.name" */
static void put_type_name(tni_proto *w, uint32_t field, const file *f,
                          tni_span name)
{
    const size_t package = strlen(f->package);
    tni_proto_bytes_head(w, field, 2 + package + name.len);
    tni_proto_raw(w, ".", 1);
    tni_proto_raw(w, f->package, package);
    tni_proto_raw(w, ".", 1);
    tni_proto_raw(w, name.p, name.len);
}

/* --- messages ------------------------------------------------------------- */

/* Of FieldDescriptorProto. */
enum {
    LABEL_OPTIONAL = 1,
    LABEL_REPEATED = 3,
    TYPE_STRING = 9,
    TYPE_MESSAGE = 11,
    TYPE_ENUM = 14
};

static uint64_t type_number(char c)
{
    static const struct {
        char letter;
        uint8_t number;
    } types[] = {
        {'d', 1},        {'f', 2}, {'l', 3},  {'v', 4},  {'i', 5},
        {'b', 8},        {'s', 9}, {'y', 12}, {'u', 13}, {'.', TYPE_MESSAGE},
        {'#', TYPE_ENUM}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].letter == c) return types[i].number;
    return 0;
}

static void put_type(tni_proto *w, const file *f, tni_span type)
{
    tni_proto_int(w, 5, type_number(type.p[0]));
    if (type.p[0] == '.' || type.p[0] == '#')
        put_type_name(w, 6, f, (tni_span){type.p + 1, type.len - 1});
}

/* "MetricTagsEntry" of metric_tags, cut to the buffer. */
static tni_span entry_name(char *buf, size_t size, tni_span field)
{
    size_t n = 0;
    bool upper = true;
    for (size_t i = 0; i < field.len && n + 6 < size; i++) {
        const char c = field.p[i];
        if (c == '_') {
            upper = true;
            continue;
        }
        buf[n++] = upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        upper = false;
    }
    memcpy(buf + n, "Entry", 5);
    return (tni_span){buf, n + 5};
}

/* A nested message for a map: key 1, value 2, marked as an entry. */
static void put_entry(tni_proto *w, const file *f, tni_span name, tni_span type)
{
    const size_t nested = tni_proto_open(w, 3);
    put_span(w, 1, name);
    const size_t key = tni_proto_open(w, 2);
    tni_proto_text(w, 1, "key");
    tni_proto_int(w, 3, 1);
    tni_proto_int(w, 4, LABEL_OPTIONAL);
    tni_proto_int(w, 5, TYPE_STRING);
    tni_proto_close(w, key);
    const size_t value = tni_proto_open(w, 2);
    tni_proto_text(w, 1, "value");
    tni_proto_int(w, 3, 2);
    tni_proto_int(w, 4, LABEL_OPTIONAL);
    put_type(w, f, type);
    tni_proto_close(w, value);
    const size_t options = tni_proto_open(w, 7);
    tni_proto_int(w, 7, 1);
    tni_proto_close(w, options);
    tni_proto_close(w, nested);
}

/* One field of `message`; whether it is one of several. */
static bool put_field(tni_proto *w, const file *f, tni_span message,
                      tni_span type, tni_span name, tni_span number)
{
    char buf[64];
    uint64_t n = 0;
    const char mark = type.p[0];
    if (mark == '*' || mark == '%' || mark == '|') {
        type.p++;
        type.len--;
    }
    for (size_t i = 0; i < number.len; i++)
        n = n * 10 + (uint64_t)(number.p[i] - '0');
    if (mark == '%') put_entry(w, f, entry_name(buf, sizeof buf, name), type);
    const size_t field = tni_proto_open(w, 2);
    put_span(w, 1, name);
    tni_proto_int(w, 3, n);
    tni_proto_int(w, 4,
                  mark == '*' || mark == '%' ? LABEL_REPEATED : LABEL_OPTIONAL);
    if (mark == '%') {
        /* .package.Message.Entry */
        const tni_span entry = entry_name(buf, sizeof buf, name);
        char full[160];
        const size_t len = message.len + 1 + entry.len;
        if (len <= sizeof full) {
            memcpy(full, message.p, message.len);
            full[message.len] = '.';
            memcpy(full + message.len + 1, entry.p, entry.len);
            tni_proto_int(w, 5, TYPE_MESSAGE);
            put_type_name(w, 6, f, (tni_span){full, len});
        }
    } else {
        put_type(w, f, type);
    }
    if (mark == '|') tni_proto_int(w, 9, 0);
    tni_proto_close(w, field);
    return mark == '|';
}

static void put_message(tni_proto *w, const file *f, tni_span line)
{
    tni_span name, type, field, number;
    bool choice = false;
    const size_t mark = tni_proto_open(w, 4);
    if (!next(&line, ' ', &name)) return;
    put_span(w, 1, name);
    while (next(&line, ' ', &type) && next(&line, ' ', &field) &&
           next(&line, ' ', &number))
        choice = put_field(w, f, name, type, field, number) || choice;
    if (choice) {
        const size_t oneof = tni_proto_open(w, 8);
        tni_proto_text(w, 1, "choice");
        tni_proto_close(w, oneof);
    }
    tni_proto_close(w, mark);
}

static void put_enum(tni_proto *w, tni_span line)
{
    tni_span word;
    uint64_t n = 0;
    const size_t mark = tni_proto_open(w, 5);
    if (next(&line, ' ', &word)) put_span(w, 1, word);
    while (next(&line, ' ', &word)) {
        const size_t value = tni_proto_open(w, 2);
        put_span(w, 1, word);
        tni_proto_int(w, 2, n++);
        tni_proto_close(w, value);
    }
    tni_proto_close(w, mark);
}

static void put_method(tni_proto *w, const file *f, tni_span line)
{
    tni_span name, in, out;
    if (!next(&line, ' ', &name) || !next(&line, ' ', &in) ||
        !next(&line, ' ', &out))
        return;
    const bool from = in.p[0] == '<', to = out.p[0] == '>';
    in = (tni_span){in.p + from, in.len - from};
    out = (tni_span){out.p + to, out.len - to};
    const size_t mark = tni_proto_open(w, 2);
    put_span(w, 1, name);
    put_type_name(w, 2, f, in);
    put_type_name(w, 3, f, out);
    if (from) tni_proto_int(w, 5, 1);
    if (to) tni_proto_int(w, 6, 1);
    tni_proto_close(w, mark);
}

static void put_file(tni_proto *w, uint32_t field, const file *f)
{
    tni_span rest = tni_span_of(f->messages), line;
    const size_t mark = tni_proto_open(w, field);
    tni_proto_text(w, 1, f->name);
    tni_proto_text(w, 2, f->package);
    while (next(&rest, '\n', &line)) put_message(w, f, line);
    rest = tni_span_of(f->enums);
    while (next(&rest, '\n', &line)) put_enum(w, line);
    rest = tni_span_of(f->service);
    const size_t service = tni_proto_open(w, 6);
    if (next(&rest, '\n', &line)) put_span(w, 1, line);
    while (next(&rest, '\n', &line)) put_method(w, f, line);
    tni_proto_close(w, service);
    tni_proto_text(w, 12, "proto3");
    tni_proto_close(w, mark);
}

/* --- questions ------------------------------------------------------------ */

/* Whether a line begins with that word. */
static bool has_line(const char *lines, tni_span word)
{
    tni_span rest = tni_span_of(lines), line, first;
    while (next(&rest, '\n', &line))
        if (next(&line, ' ', &first) && first.len == word.len &&
            memcmp(first.p, word.p, word.len) == 0)
            return true;
    return false;
}

/* The file that says what `symbol` is, or NULL: a message, an enum, a service,
 * or a method behind its service. */
static const file *file_of(tni_span symbol)
{
    for (size_t i = 0; i < FILES; i++) {
        const size_t n = strlen(files[i].package);
        if (symbol.len <= n + 1 || symbol.p[n] != '.' ||
            memcmp(symbol.p, files[i].package, n) != 0)
            continue;
        tni_span name = {symbol.p + n + 1, symbol.len - n - 1}, head;
        tni_span rest = name, service = tni_span_of(files[i].service), first;
        if (!next(&rest, '.', &head) || !next(&service, '\n', &first)) continue;
        const bool is_service =
            head.len == first.len && memcmp(head.p, first.p, first.len) == 0;
        if (rest.len == 0 ? is_service || has_line(files[i].messages, head) ||
                                has_line(files[i].enums, head)
                          : is_service && has_line(service.p, rest))
            return &files[i];
    }
    return NULL;
}

static const file *file_called(tni_span name)
{
    for (size_t i = 0; i < FILES; i++)
        if (tni_span_is(name, files[i].name)) return &files[i];
    return NULL;
}

static void put_error(tni_proto *out, uint64_t code, const char *message)
{
    const size_t mark = tni_proto_open(out, 7);
    tni_proto_int(out, 1, code);
    tni_proto_text(out, 2, message);
    tni_proto_close(out, mark);
}

static void put_services(tni_proto *out)
{
    const size_t mark = tni_proto_open(out, 6);
    for (size_t i = 0; i < FILES; i++) {
        tni_span rest = tni_span_of(files[i].service), name;
        const size_t n = strlen(files[i].package);
        if (!next(&rest, '\n', &name)) continue;
        const size_t service = tni_proto_open(out, 1);
        tni_proto_bytes_head(out, 1, n + 1 + name.len);
        tni_proto_raw(out, files[i].package, n);
        tni_proto_raw(out, ".", 1);
        tni_proto_raw(out, name.p, name.len);
        tni_proto_close(out, service);
    }
    tni_proto_close(out, mark);
}

tn_status tni_reflect(tni_proto *out, const uint8_t *request, size_t size,
                      tn_err *err)
{
    enum { NOT_FOUND = 5, UNIMPLEMENTED = 12 };
    tni_wire w;
    tni_field f;
    bool more = true;
    uint32_t asked = 0;
    tni_span text = {"", 0};
    tni_wire_init(&w, request, size, "ServerReflectionRequest", 4, err);
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        if (f.number < 3 || f.number > 7 || f.type != TNI_WIRE_LEN) continue;
        asked = f.number;
        text = (tni_span){f.bytes.len > 0 ? (const char *)f.bytes.ptr : "",
                          f.bytes.len};
    }
    tni_proto_bytes(out, 2, request, size);
    const file *found = asked == 3   ? file_called(text)
                        : asked == 4 ? file_of(text)
                                     : NULL;
    if (asked == 7) {
        put_services(out);
    } else if (asked == 3 || asked == 4) {
        if (found == NULL) {
            put_error(out, NOT_FOUND, "nothing of that name is served");
            return TN_OK;
        }
        const size_t mark = tni_proto_open(out, 4);
        put_file(out, 1, found);
        tni_proto_close(out, mark);
    } else {
        put_error(out, UNIMPLEMENTED, "there are no extensions");
    }
    return TN_OK;
}
