#!/bin/sh
# clang-tidy over the product's C files, with the checks of .clang-tidy; warnings are errors.
#
# usage: tidy.sh BUILD_FOLDER
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cmake -S . -B "$1" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null
git ls-files 'common/*.c' 'gateway/*.c' 'router/*.c' 'presence/*.c' 'store/*.c' 'sdk/c/*.c' 'ctl/*.c' 'bench/*.c' |
    xargs -P 2 -n 8 clang-tidy --quiet -p "$1"
