#!/bin/sh
# Does this version work beside an older one, on the bus and on disk? Builds the older one from git and replaces
# every process of a loaded cluster, up and back again.
#
# usage: tests/upgrade.sh [REVISION]     (HEAD~1)
set -eu
cd "$(dirname "$0")/.."
old=$PWD/build-old
trap 'git worktree remove --force "$old/source" 2>/dev/null || true' EXIT
git worktree remove --force "$old/source" 2>/dev/null || true
git worktree add --detach "$old/source" "${1:-HEAD~1}"
"$old/source/deploy/build.sh" "$old/build"
deploy/build.sh
HONGYAN_OLD_BIN=$old/build/bin HONGYAN_BIN=$PWD/build/bin \
    /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/cluster/test_upgrade.py
