#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every target for SECONDS each (60): tools/fuzz.sh [SECONDS [TARGET...]]
# SEED (1) makes a run repeatable; long runs want SEED=0, a new one each time.
# What is found new stays in build-fuzz/corpus; a crash is printed with its
# file, which belongs in tests/fuzz/corpus/TARGET once it is fixed.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
build=build-fuzz
cmake -S . -B $build -DCMAKE_C_COMPILER="${CC:-clang-14}" \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DTENON_FUZZ=ON \
    -DTENON_SANITIZE=address,undefined >/dev/null
targets=${*:-$(cd tests/fuzz && ls fuzz_*.c data/fuzz_*.c serve/fuzz_*.c | sed "s/^[a-z]*.fuzz/fuzz/; s/\.c\$//")}
# shellcheck disable=SC2086
cmake --build $build -j "$(nproc)" --target $targets
failed=0
for target in $targets; do
    mkdir -p "$build/corpus/$target" "$build/crashes"
    echo "== $target, $seconds s"
    "$build/tests/fuzz/$target" -max_total_time="$seconds" -timeout=20 -seed="${SEED:-1}" \
        -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$target-" \
        "$build/corpus/$target" "tests/fuzz/corpus/$target" \
        >"$build/$target.log" 2>&1 || failed=1
    grep -E "stat::number_of_executed|SUMMARY|Test unit written" \
        "$build/$target.log" || true
done
exit $failed
