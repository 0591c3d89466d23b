#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every target for SECONDS each (60): tools/fuzz.sh [SECONDS [TARGET...]]
# AT_ONCE (1) targets run at a time. SEED (1) makes a run repeatable; long runs want SEED=0, a new one each time.
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
fuzz_one() { # target
    mkdir -p "$build/corpus/$1" "$build/crashes"
    local good=0
    "$build/tests/fuzz/$1" -max_total_time="$seconds" -timeout=20 -seed="${SEED:-1}" \
        -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$1-" \
        "$build/corpus/$1" "tests/fuzz/corpus/$1" \
        >"$build/$1.log" 2>&1 || good=1
    echo "== $1, $seconds s"
    grep -E "stat::number_of_executed|SUMMARY|Test unit written" "$build/$1.log" || true
    return $good
}
failed=0
running=0
for target in $targets; do
    fuzz_one "$target" &
    running=$((running + 1))
    if [ "$running" -ge "${AT_ONCE:-1}" ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
exit $failed
