#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The only place that knows how the jobs of CI run: tools/ci.sh JOB...
#   test     the README's test command: gcc, release, warnings are errors
#   demo     the README's main command
#   interop  datasets that Tenon writes, read by pycocotools, Datumaro, supervision;
#            the server asked by the clients of Triton and KServe, and a browser
#   strict   gcc and clang 14, release, warnings as errors (test, tsan and msan
#            build with both too, so `all` leaves it out)
#   clang    clang 14 build, all tests
#   asan     address and undefined-behaviour sanitizers, all tests and the server's clients
#   tsan     thread sanitizer over pool, execution and server, asked by clients (clang)
#   msan     memory sanitizer, kernels masked to plain C (clang)
#   fuzz     what reads models and requests, 60 seconds each (tools/fuzz.sh runs them all)
#   all      all but strict and clang; ends with "N passed, N failed"
set -u
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}
log_dir=build/ci
mkdir -p "$log_dir"

configure() { # preset, arguments
    local preset=$1
    shift
    cmake --preset "$preset" "$@" >"$log_dir/$preset.configure.log" 2>&1 ||
        { tail -n 40 "$log_dir/$preset.configure.log"; return 1; }
}
build() { # preset, targets
    local preset=$1
    shift
    cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"} \
        >"$log_dir/$preset.build.log" 2>&1 ||
        { grep -E "error|warning:|undefined" "$log_dir/$preset.build.log" | head -n 40; return 1; }
}

job_test() { make test CMAKE_ARGS=-DTENON_WERROR=ON; }
job_demo() { make demo; }
job_interop() { # makes its own Python environment; says so when it cannot
    local testdata=../shared/testdata
    export PYTHONDONTWRITEBYTECODE=1
    make && python3 tests/interop/consumers.py \
        build/release/tenon build ${TENON_TESTDATA:-$([ -d "$testdata" ] && echo "$testdata")} &&
        python3 tests/serve/clients.py build/release/tenon build &&
        python3 tests/serve/kserve_client.py build/release/tenon build &&
        python3 tests/serve/check_page.py build/release/tenon examples &&
        cmake --build build/release -j "$jobs" --target tenon-static-cli >/dev/null 2>&1 &&
        python3 tests/serve/check_static.py build/release/static/tenon examples
}
job_strict() {
    configure ci -DTENON_TESTS=ON && build ci &&
        configure clang -DTENON_TESTS=ON && build clang
}
job_clang() {
    configure clang -DTENON_TESTS=ON && build clang &&
        ctest --preset clang -j "$jobs" -LE "slow|lint"
}
job_asan() {
    configure asan -DTENON_TESTS=ON && build asan &&
        ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 \
        UBSAN_OPTIONS=print_stacktrace=1 \
        ctest --preset asan -j "$jobs" -LE "slow|lint|one-cc" &&
        ASAN_OPTIONS=detect_leaks=1 python3 tests/serve/clients.py build/asan/tenon build
}
job_tsan() {
    configure tsan -DTENON_TESTS=ON && build tsan &&
        TSAN_OPTIONS=halt_on_error=1 ctest --preset tsan -j "$jobs" -L threads &&
        python3 tests/serve/clients.py build/tsan/tenon build
}
job_msan() { # libyaml is not instrumented: what reads YAML looks uninitialized
    configure msan -DTENON_TESTS=ON && build msan &&
        TN_CPU=ref ctest --preset msan -j "$jobs" -L memory -E "convert_yolo"
}
job_fuzz() {
    AT_ONCE=$jobs tools/fuzz.sh 60 fuzz_npy fuzz_onnx fuzz_wire fuzz_http1 fuzz_http2 \
        fuzz_grpc fuzz_infer_rest fuzz_infer_grpc fuzz_pbtxt
}

passed=0
failed=0
run_job() {
    echo "== $1"
    local start=$SECONDS
    if "job_$1"; then
        passed=$((passed + 1))
        echo "== $1 passed in $((SECONDS - start)) s"
    else
        failed=$((failed + 1))
        echo "== $1 FAILED after $((SECONDS - start)) s"
    fi
}

if [ "${1:-}" = "" ]; then
    sed -n '3,17p' "$0"
    exit 2
fi
if [ "$1" = all ]; then
    tools/deps.sh ci || exit 1
    set -- test demo interop asan tsan msan fuzz
fi
for job in "$@"; do run_job "$job"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
