#!/bin/sh
# S9: how CPU per message grows with shards, stored messages and links. Starts a cluster for each
# point, runs hongyan-bench s9 on it, and prints a table; each ratio is to the first of its axis.
# The points of an axis take turns, since a machine's speed may change from minute to minute.
#
# usage: bench/growth.sh [option...]
#   --bin DIR        the programs (build/bin)
#   --work DIR       clusters' data, removed afterwards (growth-data)
#   --past DIR       stored messages are made here, and kept for another time (not kept)
#   --out DIR        the JSON of each run, and growth.html (growth-runs)
#   --seconds S      measured at each point (20)
#   --pairs P        who talk; filled conversations are theirs (100)
#   --rate R         open loop; without it closed
#   --repeat N       rounds over the points; the table has the median of CPU per message (1)
#   --shards LIST    ("1 2 4 8")
#   --stored LIST    ("1000000 10000000 100000000"), on one shard; needs about 250 B of disk each
#   --filled P       conversations that the stored messages are spread over (100000)
#   --links LIST     ("1000 10000 19000")
#   --json FILE      the table as JSON, too
#   --with COMMAND   goes before each hongyan-bench, as in --with "nice -n -10"
# A LIST of "" leaves an axis out.
set -eu

bin=build/bin work=growth-data past="" out=growth-runs seconds=20 pairs=100 rate="" repeat=1
json="" with=""
shards="1 2 4 8" stored="1000000 10000000 100000000" links="1000 10000 19000" filled=100000
while [ $# -gt 0 ]; do
    case $1 in
    --bin | --work | --past | --out | --seconds | --pairs | --rate | --repeat | --shards | --stored | --filled | \
        --links | --json | --with)
        [ $# -ge 2 ] || { echo "growth.sh: $1 needs a value" >&2; exit 2; }
        eval "${1#--}=\$2"
        shift 2
        ;;
    --help | -h)
        sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *)
        echo "growth.sh: unknown option $1 (see --help)" >&2
        exit 2
        ;;
    esac
done

[ ! -e "$work" ] || { echo "growth.sh: $work is there already; it would be removed" >&2; exit 2; }
gone=$work
[ -n "$past" ] || { past=$work-past; gone="$work $past"; }
mkdir -p "$out"
# shellcheck disable=SC2086  # one or two folders without blanks
trap '"$bin/hongyanctl" down --dir "$work" >/dev/null 2>&1 || true; rm -rf $gone' EXIT
trap 'exit 1' INT TERM

figure() { # FILE KEY: a number of a run's JSON (one key a line)
    sed -n "s/^  \"$2\": \([-0-9.e+]*\),*\$/\1/p" "$1"
}

start() { # option...
    "$bin/hongyanctl" up --dir "$work" --detach "$@" >/dev/null
}

stop() {
    "$bin/hongyanctl" down --dir "$work" >/dev/null
}

base="" runs=""
table="$out/growth.txt"
printf "%-8s %12s %13s %10s %10s %8s %8s %8s %10s %6s\n" axis size "CPU us/msg" gateway router store \
    "rate/s" "p99 ms" "wrong" "ratio" >"$table"

# AXIS SIZE option...: run the point on the cluster that is up, for this round.
run() {
    file="$out/$1-$2-$round.json"
    runs="$runs $file"
    shift 2
    # shellcheck disable=SC2086  # a command and its words
    $with "$bin/hongyan-bench" s9 --cluster "$work/cluster.json" --seconds "$seconds" --pairs "$pairs" \
        ${rate:+--rate "$rate"} --json "$file" "$@" >/dev/null || [ $? -eq 1 ]
}

# AXIS SIZE: the line of a point.
line() {
    middle=$(for round in $rounds; do
        echo "$(figure "$out/$1-$2-$round.json" server_cpu_us_per_op) $out/$1-$2-$round.json"
    done | sort -n | sed -n "$(((repeat + 1) / 2))p")
    cpu=${middle%% *} file=${middle#* }
    [ -n "$base" ] || base=$cpu
    printf '%s %s %s %s %s %s %s %s %s %s %s %s\n' "$1" "$2" "$cpu" \
        "$(figure "$file" gateway_user_us_per_op) $(figure "$file" gateway_system_us_per_op)" \
        "$(figure "$file" router_user_us_per_op) $(figure "$file" router_system_us_per_op)" \
        "$(figure "$file" store_user_us_per_op) $(figure "$file" store_system_us_per_op)" \
        "$(figure "$file" rate_per_s)" "$(figure "$file" p99_ms)" "$(figure "$file" lost)" \
        "$(figure "$file" doubled)" "$(figure "$file" reordered)" "$base" |
        awk '{ printf "%-8s %12s %13.2f %10.2f %10.2f %8.2f %8.0f %8.1f %10d %6.2f\n", $1, $2, $3, $4 + $5,
               $6 + $7, $8 + $9, $10, $11, $12 + $13 + $14, $3 / $15 }' | tee -a "$table"
}

lines() { # AXIS SIZE...
    axis=$1 base=""
    shift
    for n in "$@"; do
        line "$axis" "$n"
    done
}

rounds=$(seq "$repeat")
for round in $rounds; do
    for n in $shards; do
        start --shards "$n"
        run shards "$n"
        stop
        rm -rf "$work"
    done
done
# shellcheck disable=SC2086  # a list of numbers
lines shards $shards

# The past of a point is that of the one before and more; filled conversations include those that
# talk. The keys of the first cluster are those of all.
have=0
mkdir -p "$past"
for n in $stored; do
    if [ ! -d "$past/$n" ]; then
        rm -rf "$past/coming"
        if [ "$have" -gt 0 ]; then
            cp -r "$past/$have" "$past/coming"
        else
            start
            stop
            mv "$work" "$past/coming"
        fi
        mv "$past/coming" "$work"
        "$bin/hongyan-bench-fill" "$work" $((n - have)) "$filled" >&2
        mv "$work" "$past/$n"
    fi
    have=$n
done
for round in $rounds; do
    for n in $stored; do
        mv "$past/$n" "$work"
        start
        run stored "$n"
        stop
        mv "$work" "$past/$n"
    done
done
# shellcheck disable=SC2086
lines stored $stored

for round in $rounds; do
    for n in $links; do
        start
        run links "$n" --links "$n"
        stop
        rm -rf "$work"
    done
done
# shellcheck disable=SC2086
lines links $links

# shellcheck disable=SC2086  # a list of files without blanks
[ -z "$runs" ] || "$bin/hongyan-bench" report --html "$out/growth.html" $runs
[ -z "$json" ] || awk 'BEGIN { print "{\"scenario\": \"s9\", \"points\": [" }
    NR > 1 { printf "%s{\"axis\": \"%s\", \"size\": %s, \"cpu_us\": %s, \"rate_per_s\": %s, \"p99_ms\": %s, \"wrong\": %s, \"ratio\": %s}",
             comma, $1, $2, $3, $7, $8, $9, $10; comma = ",\n" }
    END { print "\n]}" }' "$table" >"$json"
cat "$table"
