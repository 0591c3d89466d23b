#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_case.sh CASE.sh TENON TOP - one case of the command, in a scratch folder.
# UPDATE=1 writes what was printed over the .exact files.
set -u
case_file=$1
export TENON=$2 TOP=$3
stem=${case_file%.sh}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
export LC_ALL=C NO_COLOR=1
unset TN_CPU
tenon() { "$TENON" "$@"; }
export -f tenon
bash "$case_file" >out 2>err </dev/null
code=$?
want=0
[ -e "$stem.exit" ] && want=$(cat "$stem.exit")
bad=0
if [ "$code" != "$want" ]; then
    echo "exit code $code, expected $want"
    bad=1
fi
check() { # stdout|stderr file
    if [ -e "$stem.$1.exact" ]; then
        if [ "${UPDATE:-}" = 1 ]; then
            cp "$2" "$stem.$1.exact"
        fi
        diff -u "$stem.$1.exact" "$2" || bad=1
    elif [ -e "$stem.$1.glob" ]; then
        # shellcheck disable=SC2053
        if [[ "$(cat "$2")" != $(cat "$stem.$1.glob") ]]; then
            echo "$1 does not match $stem.$1.glob; it is:"
            cat "$2"
            bad=1
        fi
    fi
}
check stdout out
check stderr err
if [ "$bad" != 0 ]; then
    echo "-- stdout"
    head -n 40 out
    echo "-- stderr"
    head -n 40 err
fi
exit $bad
