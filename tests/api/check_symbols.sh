#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the libraries show to the world: versioned tn_* symbols, no other global
# name, no mutable data, no dependency beyond libc and libm and those given.
# usage: check_symbols.sh SHARED STATIC ['libx|liby']
set -eu
shared=$1
static=$2
more=${3:-libc}
bad=0
complain() {
    echo "$1:"
    echo "$2" | head -n 10
    bad=1
}

found=$(nm -D --defined-only "$shared" | awk '{print $3}' |
    grep -vE '^tn_[a-z0-9_]+@@TN_0$|^TN_0$' || true)
[ -z "$found" ] || complain "exported, but not tn_*@@TN_0" "$found"

found=$(nm -g --defined-only "$static" 2>/dev/null | awk 'NF==3 {print $3}' |
    grep -vE '^tni?_' || true)
[ -z "$found" ] || complain "global names without our prefix" "$found"

# Relocated constants lie in .data.rel.ro and are read-only once loaded.
found=$(objdump -t "$static" 2>/dev/null |
    awk '$2 ~ /O/ || $3 ~ /O/ {print}' |
    grep -E '[[:space:]](\.data|\.bss|\*COM\*|\.tdata|\.tbss)[[:space:]]' || true)
[ -z "$found" ] || complain "mutable static data" "$found"

found=$(ldd "$shared" | awk '{print $1}' |
    grep -vE "^(linux-vdso|libc\.so|libm\.so|libpthread\.so|/lib.*/ld-linux|($more)[-.0-9]*\.so)" || true)
[ -z "$found" ] || complain "needs more than libc and libm" "$found"

[ "$bad" = 0 ] && echo "$(nm -D --defined-only "$shared" | grep -c ' T tn_') functions exported"
exit $bad
