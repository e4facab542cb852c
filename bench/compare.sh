#!/bin/sh
# Hongyan, its peers and the machine's floors, one at a time on this machine, as tables.
#
# usage: bench/compare.sh [--seconds S] [--runs N] [--only S2,S4] [--quick] [--no-install] [--html OUT]
#                         [--out DIR] [--docs FILE] [--resume]
#
#   --seconds S   measured time of each scenario (10)
#   --runs N      rounds over all systems; the tables have medians (3)
#   --only LIST   only these scenarios: S1 S2 S3 S4 S4L S5 S6 S8
#   --quick       one round of 2 s each, with fewer links: does everything work?
#   --no-install  do not install packages; say what is missing instead
#   --html OUT    a page with the plots of Hongyan's runs
#   --out DIR     what was measured, as JSON (build/compare); the tables are in DIR/tables.md
#   --docs FILE   put the tables between the markers of this file (docs/performance.md; "": nowhere)
#   --resume      keep what DIR has of an earlier run that was interrupted, and measure the rest
#
# Builds, installs the peers' packages, starts each system in a directory of its own, stops it again, also
# when interrupted. With S = 10 and N = 3 it takes about 40 minutes.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
install=""
for argument; do
    case $argument in
        --no-install) install=--no-install ;;
        -h | --help) sed -n '2,18s/^# \{0,1\}//p' "$0"; exit 0 ;;
    esac
done
"$root/deploy/packages.sh" build $install
"$root/bench/peers/packages.sh" $install
"$root/deploy/build.sh" "$root/build"
exec /usr/bin/python3 "$root/bench/compare.py" --root "$root" "$@"
