#!/bin/sh
# Install the servers that bench/compare.sh compares Hongyan with, from Debian's packages.
#
# usage: bench/peers/packages.sh [--no-install]
#
# Their system services are not started, and not left enabled: the benchmark runs them itself, in a
# directory of its own. Exit 3: something is missing and may not be installed.
set -eu

install=yes
for option; do
    case $option in
        --no-install) install=no ;;
        *) echo "packages.sh: unknown option $option" >&2; exit 2 ;;
    esac
done

missing=""
services=""
want() { # want PACKAGE SERVICE TEST...
    package=$1 service=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    missing="$missing $package"
    services="$services $service"
}
any() { [ -e "$1" ]; }
has() { PATH=$PATH:/usr/sbin command -v "$1"; }

want mosquitto mosquitto has mosquitto
want ejabberd ejabberd has ejabberdctl
want postgresql postgresql sh -c 'ls /usr/lib/postgresql/*/bin/initdb'
want nginx-light nginx has nginx
want openssl "" has openssl
want python3 "" has python3
# ejabberd's door to PostgreSQL is a package of its own
want erlang-p1-pgsql "" sh -c 'ls /usr/lib/*/p1_pgsql-*/ebin/p1_pgsql.app /usr/lib/erlang/lib/p1_pgsql-*/ebin/p1_pgsql.app 2>/dev/null | grep .'

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
if ! any "$policy"; then
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
