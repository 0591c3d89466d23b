/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.h - which rows of a family's .def exist in this build
 *
 * A .def encloses the rows of an architecture in `#if TN_ROWS_X86_64` or
 * `#if TN_ROWS_AARCH64`; rows outside are plain C. kcheck defines the macros
 * the other way round to learn the names of the rows it cannot compile.
 */
#ifndef TN_SRC_KERNELS_ROWS_H
#define TN_SRC_KERNELS_ROWS_H

#include "base/config.h"

#ifndef TN_ROWS_X86_64
#define TN_ROWS_X86_64 TN_ARCH_X86_64
#endif
#ifndef TN_ROWS_AARCH64
#define TN_ROWS_AARCH64 TN_ARCH_AARCH64
#endif

#endif
