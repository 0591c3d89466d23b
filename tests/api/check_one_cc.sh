#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The runtime column builds with one compiler line, and what comes out runs.
set -eu
cc=$1
top=$2
out=$3/one-cc
mkdir -p "$out"
cd "$top"
# Nothing to prove again while no source is newer than what it built.
if [ -e "$out/hello" ] && [ -z "$(find src include -newer "$out/hello" -print -quit)" ]; then
    "$out/hello"
    exit 0
fi
# shellcheck disable=SC2046
"$cc" -std=c11 -O1 -fPIC -shared -fvisibility=hidden -ffp-contract=off -Iinclude -Isrc \
    $(find src -name '*.c' | grep -vE '^src/(image|data|check|eval|serve)/') -lm -lpthread -o "$out/libtenon.so"
cat >"$out/hello.c" <<'C'
#include "tenon/tenon.h"
#include <stdio.h>
int main(void)
{
    printf("tenon %s, %zu operators\n", tn_version(),
           tn_registry_count(TN_REGISTRY_OPS));
    return 0;
}
C
"$cc" -std=c99 -Iinclude "$out/hello.c" -L"$out" -ltenon -Wl,-rpath,"$out" -o "$out/hello"
"$out/hello"
