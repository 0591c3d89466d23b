/* SPDX-License-Identifier: Apache-2.0 */
/* test_tree.c - which decision trees a pack refuses */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/tree/tree.h"

#include <string.h>

static tni_tree_source_node fetch(const void *ctx, int32_t i)
{
    return ((const tni_tree_source_node *)ctx)[i];
}

static _Alignas(64) char memory[4096];

static bool build(const tni_tree_source_node *nodes, size_t n)
{
    const int32_t root = 0;
    size_t size = 0;
    tni_tree_pack pack;
    assert_true(tni_tree_pack_size(&size, n, 1));
    assert_true(size <= sizeof memory);
    return tni_tree_pack_build(&pack, memory, nodes, fetch, n, &root, 1);
}

#define LEAF                                                                   \
    {                                                                          \
        0, 0, 0, 0, TNI_TREE_TEST_LEAF, false                                  \
    }

static void test_accepts(void **state)
{
    (void)state;
    const tni_tree_source_node stump[] = {
        {1, 3, 1, 2, TNI_TREE_TEST_GT, false}, LEAF, LEAF};
    const tni_tree_source_node leaf[] = {LEAF};
    assert_true(build(stump, 3));
    assert_true(build(leaf, 1));
}

static void test_refuses(void **state)
{
    (void)state;
    const tni_tree_source_node other[] = {
        {1, 3, 1, 2, TNI_TREE_TEST_OTHER, false}, LEAF, LEAF};
    const tni_tree_source_node wide[] = {
        {1, 2048, 1, 2, TNI_TREE_TEST_LEQ, false}, LEAF, LEAF};
    const tni_tree_source_node negative[] = {
        {1, -1, 1, 2, TNI_TREE_TEST_LEQ, false}, LEAF, LEAF};
    const tni_tree_source_node outside[] = {
        {1, 0, 1, 7, TNI_TREE_TEST_LEQ, false}, LEAF, LEAF};
    const tni_tree_source_node cycle[] = {
        {1, 0, 0, 1, TNI_TREE_TEST_LEQ, false}, LEAF, LEAF};
    const tni_tree_source_node shared[] = {
        {1, 0, 1, 1, TNI_TREE_TEST_LEQ, false},
        {1, 0, 2, 2, TNI_TREE_TEST_LEQ, false},
        LEAF};
    assert_false(build(other, 3));
    assert_false(build(wide, 3));
    assert_false(build(negative, 3));
    assert_false(build(outside, 3));
    assert_false(build(cycle, 3));
    assert_false(build(shared, 3));
}

static void test_sizes(void **state)
{
    (void)state;
    size_t size = 0;
    assert_false(tni_tree_pack_size(&size, SIZE_MAX / 4, 1));
    assert_false(tni_tree_pack_size(&size, 1, SIZE_MAX / 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
