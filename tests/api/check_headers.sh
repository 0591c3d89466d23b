#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every public header compiles alone, as C99 and as C++11 (when g++ is there).
set -eu
cc=$1
top=$2
n=0
for header in "$top"/include/tenon/*.h; do
    name=tenon/$(basename "$header")
    for std in c99 c11; do
        echo "#include \"$name\"
int main(void) { return 0; }" | "$cc" -std=$std -Wall -Wextra -Wpedantic -Werror \
            -I"$top/include" -x c -fsyntax-only -
        n=$((n + 1))
    done
    if command -v g++ >/dev/null 2>&1; then
        echo "#include \"$name\"
int main() { return 0; }" | g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror \
            -I"$top/include" -x c++ -fsyntax-only -
        n=$((n + 1))
    fi
done
echo "$n compilations of public headers passed"
