#!/bin/sh
# Install what Hongyan needs from Debian's (or Ubuntu's) packages.
#
# usage: deploy/packages.sh build|test|peers [--no-install] [--yes]
#
# build: compile and run.  test: also run the tests.  peers: also the servers that bench/compare.sh
# compares Hongyan with.  Missing things are found by what they provide, not by package name, and are
# named before they are installed. Servers among them are not started, and not left enabled: who
# needs them runs them in a directory of its own. Exit 3: something is missing and may not be installed.
set -eu

profile=${1:-build}
shift || true
case $profile in
    build | test | peers) ;;
    *) echo "packages.sh: no profile $profile" >&2; exit 2 ;;
esac
install=yes
for option; do
    case $option in
        --no-install) install=no ;;
        --yes) ;;
        *) echo "packages.sh: unknown option $option" >&2; exit 2 ;;
    esac
done

missing=""
services=""
want() { # want PACKAGE TEST...
    package=$1
    shift
    "$@" >/dev/null 2>&1 && return
    missing="$missing $package"
}
want_server() { # want_server PACKAGE SERVICE TEST...
    package=$1 service=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    missing="$missing $package"
    services="$services $service"
}
has() { PATH=$PATH:/usr/sbin command -v "$1"; }
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
    libjansson-dev=jansson libutf8proc-dev=libutf8proc libcurl4-openssl-dev=libcurl; do
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
    want python3-pytest-xdist python_has xdist
    want python3-protobuf python_has google.protobuf
    want_server prometheus prometheus has promtool
    want_server mosquitto mosquitto has mosquitto
    want_server etcd-server etcd has etcd
    want faketime has faketime
    want shellcheck has shellcheck
    want clang-tidy has clang-tidy
    want mount has mount
    want iproute2 has ip
    want iptables has iptables
    want util-linux has nsenter
    want xz-utils has xz
    want openssl has openssl
    want nodejs has node
    want npm has npm
    want chromium has chromium
fi

if [ "$profile" = peers ]; then
    want_server mosquitto mosquitto has mosquitto
    want_server ejabberd ejabberd has ejabberdctl
    want_server postgresql postgresql sh -c 'ls /usr/lib/postgresql/*/bin/initdb'
    want_server nginx-light nginx has nginx
    want openssl has openssl
    want python3 has python3
    # ejabberd's door to PostgreSQL is a package of its own
    want erlang-p1-pgsql sh -c 'ls /usr/lib/*/p1_pgsql-*/ebin/p1_pgsql.app /usr/lib/erlang/lib/p1_pgsql-*/ebin/p1_pgsql.app 2>/dev/null | grep .'
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
policy=/usr/sbin/policy-rc.d # while it says 101, no package starts a service
made=no
clean() {
    [ $made = no ] || $as_root rm -f "$policy"
    rm -f "$log"
}
trap clean EXIT
trap 'exit 130' INT TERM
if [ -n "$services" ] && [ ! -e "$policy" ]; then
    made=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi
{ $as_root apt-get update -q && $command; } >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 3; }
if command -v systemctl >/dev/null; then
    for service in $services; do # only of what was installed now: others may be in use
        $as_root systemctl disable --now "$service" >/dev/null 2>&1 || true
    done
fi
