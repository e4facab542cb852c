#!/bin/sh
# Install what Hongyan needs from Debian's (or Ubuntu's) packages.
#
# usage: deploy/packages.sh build|test|web [--no-install] [--yes]
#
# build: compile and run.  test: also run the tests.  Missing things are found by what they provide, not
# by package name, and the command is shown before it runs. Exit 3: something is missing and may not
# be installed.
set -eu

profile=${1:-build}
shift || true
install=yes
for option; do
    case $option in
        --no-install) install=no ;;
        --yes) ;;
        *) echo "packages.sh: unknown option $option" >&2; exit 2 ;;
    esac
done

missing=""
want() { # want PACKAGE TEST...
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has() { command -v "$1"; }
header() { [ -e "/usr/include/$1" ]; }
python_has() { /usr/bin/python3 -c "import $1"; }

want gcc has gcc
want libc6-dev header stdlib.h
want cmake has cmake
want ninja-build has ninja
want pkg-config has pkg-config
want protobuf-c-compiler has protoc-c
want protobuf-compiler has protoc
want librocksdb-dev header rocksdb/c.h
for pair in libzmq3-dev=libzmq libsodium-dev=libsodium libevent-dev=libevent libconfig-dev=libconfig \
    libprotobuf-c-dev=libprotobuf-c libssl-dev=openssl zlib1g-dev=zlib libxxhash-dev=libxxhash \
    libjansson-dev=jansson libutf8proc-dev=libutf8proc; do
    want "${pair%%=*}" sh -c "pkg-config --exists ${pair#*=}"
done
want uthash-dev header uthash.h
want curl has curl

if [ "$profile" = test ]; then
    want libcmocka-dev sh -c 'pkg-config --exists cmocka'
    want clang has clang
    want libclang-rt-14-dev sh -c 'ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a'
    want python3 [ -x /usr/bin/python3 ]
    want python3-pytest python_has pytest
    want python3-protobuf python_has google.protobuf
    want prometheus has promtool
    want faketime has faketime
    want shellcheck has shellcheck
    want mount has mount
    want xz-utils has xz
    want openssl has openssl
    want nodejs has node
    want npm has npm
    want chromium has chromium
fi

[ -n "$missing" ] || exit 0

as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
command="$as_root apt-get install -y --no-install-recommends$missing"
if [ "$install" = no ] || ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
    echo "Missing:$missing" >&2
    echo "Install them, then try again:  $command" >&2
    exit 3
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
{ $as_root apt-get update -q && $command; } >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 3; }
rm -f "$log"
