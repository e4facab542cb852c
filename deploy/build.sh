#!/bin/sh
# Build Hongyan into a folder.
#
# usage: deploy/build.sh [FOLDER [cmake option...]]      (default: build)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build}
[ $# -eq 0 ] || shift
launcher=""
command -v ccache >/dev/null && launcher=-DCMAKE_C_COMPILER_LAUNCHER=ccache
log=$folder.log
echo "Building in $folder"
if ! { cmake -S "$root" -B "$folder" -G Ninja $launcher "$@" && cmake --build "$folder"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "The build failed; the whole log is $log" >&2
    exit 1
fi
