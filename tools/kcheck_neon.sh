#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kcheck_neon.sh - build kcheck for AArch64 and run it under qemu-user
#
# usage: tools/kcheck_neon.sh BUILD_DIR [kcheck options]
# KC_CC, KC_QEMU and KC_LAUNCHER override the compiler, the emulator and a
# compiler launcher such as ccache.
set -eu
if [ $# -lt 1 ]; then
    sed -n '3,7s/^# //p' "$0"
    exit 2
fi
build=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
cc=${KC_CC:-aarch64-linux-gnu-gcc}
qemu=${KC_QEMU:-$(command -v qemu-aarch64 || command -v qemu-aarch64-static)}
generator="Unix Makefiles"
if command -v ninja >/dev/null 2>&1; then generator=Ninja; fi
mkdir -p "$build"
# Static: no foreign libc is needed to run it.
cmake -S "$root/tests/kcheck" -B "$build" -G "$generator" \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_COMPILER_LAUNCHER="${KC_LAUNCHER:-}" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE="-O1" \
    -DCMAKE_EXE_LINKER_FLAGS=-static >"$build/configure.log" 2>&1 ||
    { cat "$build/configure.log"; exit 1; }
cmake --build "$build" --target kcheck -j 2 >"$build/build.log" 2>&1 ||
    { cat "$build/build.log"; exit 1; }
exec "$qemu" "$build/kcheck" --no-guards "$@"
