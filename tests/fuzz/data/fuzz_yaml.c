/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yaml.c - any text as YAML; as JSON it is bounded and valid */
#include "data/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tni_mem mem;
    tni_arena arena;
    tni_yaml *root = NULL;
    const tni_span text = {(const char *)data, size};
    tni_mem_init(&mem, NULL, (size_t)1 << 20);
    tni_arena_init(&arena, &mem, 1024);
    if (tni_yaml_read(&root, text, 16, &arena, NULL) == TN_OK) {
        size_t len = 0;
        int64_t n = 0;
        (void)tni_yaml_int(tni_yaml_get(root, "nc"), &n);
        const char *json = tni_yaml_json(root, &arena, &len);
        tni_json j;
        if (json != NULL) {
            /* Only UTF-8 that JSON cannot hold may be refused. */
            tni_json_init(&j, json, len, 64, NULL);
            if (tni_json_skip(&j, NULL) && !tni_json_end(&j)) abort();
        }
    }
    tni_arena_fini(&arena);
    if (mem.used_bytes != 0) abort();
    return 0;
}
