/* SPDX-License-Identifier: Apache-2.0 */
/* kc_layers.h - the convolutions of ResNet-50, which families time */
#ifndef TN_TESTS_KCHECK_LAYERS_H
#define TN_TESTS_KCHECK_LAYERS_H

#include <stddef.h>

/* At batch 1, and how often each occurs. */
static const struct {
    size_t times, ic, oc, size, kernel, stride;
} layers[] = {
    {1, 3, 64, 224, 7, 2},     {1, 64, 64, 56, 1, 1},
    {3, 64, 64, 56, 3, 1},     {4, 64, 256, 56, 1, 1},
    {2, 256, 64, 56, 1, 1},    {1, 256, 128, 56, 1, 1},
    {1, 128, 128, 56, 3, 2},   {4, 128, 512, 28, 1, 1},
    {1, 256, 512, 56, 1, 2},   {3, 512, 128, 28, 1, 1},
    {3, 128, 128, 28, 3, 1},   {1, 512, 256, 28, 1, 1},
    {1, 256, 256, 28, 3, 2},   {6, 256, 1024, 14, 1, 1},
    {1, 512, 1024, 28, 1, 2},  {5, 1024, 256, 14, 1, 1},
    {5, 256, 256, 14, 3, 1},   {1, 1024, 512, 14, 1, 1},
    {1, 512, 512, 14, 3, 2},   {3, 512, 2048, 7, 1, 1},
    {1, 1024, 2048, 14, 1, 2}, {2, 2048, 512, 7, 1, 1},
    {2, 512, 512, 7, 3, 1},
};
enum { n_layers = sizeof layers / sizeof layers[0] };

#endif
