#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# size.sh - how big the library is, what it needs, and how fast it starts.
#
# usage: bench/size.sh [BUILD]      BUILD: the build folder, default build
set -eu

build=${1:-build}
root=$(dirname "$0")/..
tenon=$build/tenon
model=$root/examples/digits-pytorch/model.onnx
image=$root/examples/digits-pytorch/samples/digit_3.npy
for need in "$tenon" "$build/libtenon.so" "$build/libtenon.a"; do
    if [ ! -e "$need" ]; then
        echo "size.sh: no $need; build first (make)" >&2
        exit 2
    fi
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

kib() {
    strip -o "$scratch/stripped" "$1"
    echo "$(($(wc -c <"$scratch/stripped") / 1024)) KiB"
}

# Milliseconds of the fastest of 20 runs: process start to process end.
start() {
    i=0
    while [ $i -lt 20 ]; do
        a=$(date +%s%N)
        "$@" >/dev/null 2>&1
        b=$(date +%s%N)
        echo $((b - a))
        i=$((i + 1))
    done | sort -n | awk 'NR == 1 { printf "%.1f ms\n", $1 / 1e6 }'
}

# The library with the kernels of all ISAs may take this much.
limit=$((5 * 512 * 1024))
strip -o "$scratch/stripped" "$build/libtenon.so"
size=$(wc -c <"$scratch/stripped")
if [ "$size" -gt "$limit" ]; then
    echo "size.sh: libtenon.so has $size bytes stripped, more than $limit" >&2
    exit 1
fi

echo "| what | how much |"
echo "|---|---|"
echo "| libtenon.so, stripped | $(kib "$build/libtenon.so") of $((limit / 1024)) KiB |"
echo "| tenon, stripped | $(kib "$tenon") |"
echo "| libtenon.so needs | $(readelf -d "$build/libtenon.so" |
    sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ' | sed 's/ $//') |"
echo "| process start to end, \`true\` | $(start true) |"
echo "| process start to end, \`tenon version\` | $(start "$tenon" version) |"
echo "| start, load a CNN, classify a digit, end | $(
    start "$tenon" run "$model" "image=$image") |"
