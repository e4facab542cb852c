#!/bin/sh
# A whole Hongyan cluster on this machine: installs packages, builds, starts, shows a conversation.
#
# usage: deploy/quickstart.sh [--build-only] [--no-install] [--dir DIR] [--detach]
#
#   --build-only  install and build, start nothing (programs: build/bin)
#   --no-install  do not install packages; say what is missing instead
#   --dir DIR     where the cluster keeps its data, secrets and logs (default: ./run)
#   --detach      leave the cluster running in the background
#
# Run it again at any time: what is installed, built and stored is kept. Stop with Ctrl-C, or with
# build/bin/hongyanctl down --dir DIR.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$root/run
build_only=no detach=no install=
while [ $# -gt 0 ]; do
    case $1 in
        --build-only) build_only=yes ;;
        --no-install) install=--no-install ;;
        --detach) detach=yes ;;
        --dir) dir=${2:?--dir needs a folder}; shift ;;
        -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "quickstart.sh: unknown option $1 (try --help)" >&2; exit 2 ;;
    esac
    shift
done

"$root/deploy/packages.sh" build $install
"$root/deploy/build.sh" "$root/build"
[ "$build_only" = no ] || exit 0

ctl=$root/build/bin/hongyanctl
"$ctl" up --dir "$dir" --gateways 2 --routers 2 --presence 1 --shards 2 --detach
stop() { "$ctl" down --dir "$dir"; }
[ "$detach" = yes ] || trap 'stop; exit 0' INT TERM

echo
echo "A conversation through gateway, router, presence and store:"
"$ctl" demo-talk --dir "$dir"
echo
"$ctl" status --dir "$dir"
echo
echo "Stop it with:  $ctl down --dir $dir"
[ "$detach" = yes ] && exit 0
echo "Ctrl-C stops the cluster."
while "$ctl" status --dir "$dir" --quiet; do sleep 2 & wait $!; done
