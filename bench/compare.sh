#!/bin/sh
# Hongyan, its peers and the machine's floors, one at a time on this machine, as tables.
#
# usage: bench/compare.sh [--seconds S] [--rounds N] [--only S2,S4] [--systems LIST] [--quick]
#                         [--past DIR] [--no-install] [--html OUT] [--out DIR] [--docs FILE] [--resume]
#                         [--with COMMAND]
#
#   --seconds S     measured time of each step (5)
#   --rounds N      rounds over all systems; the tables have medians (3)
#   --only LIST     only these scenarios: S1 S2 S3 S4 S4L S5 S6 S7 S8 S9. S7 and S9 then come at their full
#                   size, too: up to an hour each, and S9 takes 30 GB of disk
#   --systems LIST  only these: hongyan ejabberd-archive ejabberd mosquitto nginx floor
#   --quick         one round of 2 s a step, with small sizes: does everything work?
#   --past DIR      stored messages for S9 at its full size are made here, and kept for another time
#   --no-install    do not install packages; say what is missing instead
#   --html OUT      a page with the plots of Hongyan's runs
#   --out DIR       what was measured, as JSON (build/compare); the tables are in DIR/tables.md
#   --docs FILE     put the tables between the markers of this file (docs/performance.md, but with --only,
#                   --systems or --quick none; "": none)
#   --resume        keep what DIR has of an earlier run that was interrupted, and measure the rest
#   --with COMMAND  goes before each driver's command, as in --with "nice -n -10"
#
# Builds, installs the peers' packages, starts each system in a directory of its own, and stops it again, also
# when interrupted. It says at the start how long it will take. Leave the machine alone meanwhile. Exit status:
# 0; 1 when a step failed or its account was not clean; 2 for a wrong call; 130 when interrupted.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
install=""
for argument; do
    case $argument in
        --no-install) install=--no-install ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    esac
done
"$root/deploy/packages.sh" peers $install
"$root/deploy/build.sh" "$root/build"
exec /usr/bin/python3 "$root/bench/compare.py" --root "$root" "$@"
