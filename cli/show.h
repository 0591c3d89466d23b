/* SPDX-License-Identifier: Apache-2.0 */
/* show.h - print a value for a person, or describe it in JSON */
#ifndef TENON_CLI_SHOW_H
#define TENON_CLI_SHOW_H

#include "cli.h"

/* Two lines: "probabilities  float32[1,10]  min … max … mean … argmax=3" and
 * the first values. Containers print their items, a few of them. */
void show_value(const char *name, const tn_tensor *value);
/* {name, dtype, shape, file, min, max, mean, argmax, values[]}; file NULL
 * when the value was not written. */
void show_json(cli_json *j, const char *name, const tn_tensor *value,
               const char *file);

#endif
