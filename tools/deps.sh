#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install what a build (`deps.sh build`) or the tests (`deps.sh test`) need on
# Debian or Ubuntu. Does nothing, at once, when everything is there.
set -eu
what=${1:-build}
missing=

need() { # command package
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need_file() { # file package
    [ -e "$1" ] || missing="$missing $2"
}

need cc gcc
need cmake cmake
need make make
need_file /usr/include/stdio.h libc6-dev
need_file /usr/include/turbojpeg.h libturbojpeg0-dev
need_file /usr/include/spng.h libspng-dev
need_file /usr/include/webp/decode.h libwebp-dev
need_file /usr/include/expat.h libexpat1-dev
need_file /usr/include/yaml.h libyaml-dev
need_file /usr/include/nghttp2/nghttp2.h libnghttp2-dev
need_file /usr/include/openssl/ssl.h libssl-dev
need_file /usr/include/zlib.h zlib1g-dev
if [ "$what" != build ]; then
    need python3 python3
    need_file /usr/include/cmocka.h libcmocka-dev
fi
if [ "$what" = ci ]; then
    need git git
    need chromium chromium
    python3 -c "import ensurepip" 2>/dev/null || missing="$missing python3-venv"
    need g++ g++
    need clang-14 clang-14
    need_file /usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.asan-x86_64.a libclang-rt-14-dev
    need_file /usr/include/simde/x86/avx512.h libsimde-dev
    need qemu-aarch64 qemu-user
    need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    need_file /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross
fi
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing:$missing - please install them (no apt-get here)" >&2
    exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "missing:$missing - install them, or run as root or with sudo" >&2
        exit 1
    }
    sudo=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
