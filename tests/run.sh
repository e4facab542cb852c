#!/usr/bin/env bash
# Install, build and run every test. Ends with one line: N passed, N failed.
#
# usage: tests/run.sh [--quick | --long] [--no-install] [STAGE...]
#
#   --quick  under 5 minutes: unit tests, fuzz seeds, cluster tests and a few kills on the plain build
#   --long   also many seeds, long fuzzing, 100 kills of each kind, an upgrade, clang-tidy
#   STAGE    only these: lint unit fuzz cluster fault tsan web
#
# Without --quick the suite runs on an ASan+UBSan build, unit and cluster tests again on a TSan build. Logs
# and JUnit files are in build-tests/.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
root=$PWD
mode=full install="" stages=()
for argument; do
    case $argument in
        --quick) mode=quick ;;
        --long) mode=long ;;
        --no-install) install=--no-install ;;
        -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
        -*) echo "run.sh: unknown option $argument (try --help)" >&2; exit 2 ;;
        *) stages+=("$argument") ;;
    esac
done
if [ ${#stages[@]} -eq 0 ]; then
    stages=(unit cluster fault)
    [ $mode = quick ] || stages=(lint unit fuzz cluster fault web tsan)
fi

out=$root/build-tests
mkdir -p "$out"
rm -f "$out"/*.xml "$out"/*.log
export PYTHONDONTWRITEBYTECODE=1
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$root/tests/lib/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$root/tests/lib/tsan.supp:history_size=4
if [ -z "${HONGYAN_IRC:-}" ] && [ -e ../shared/data/irc/irc-train.tar.xz ]; then
    export HONGYAN_IRC=$root/../shared/data/irc/irc-train.tar.xz
fi

"$root/deploy/packages.sh" test $install || exit 3

pytest() { # pytest NAME ARGUMENT...: on the programs in $HONGYAN_BIN; two files at a time, each with its own clusters
    local name=$1
    shift
    /usr/bin/python3 -m pytest -q -n 2 --dist loadfile -p no:cacheprovider --tb=short --durations=5 \
        --junitxml="$out/$name.xml" -o junit_suite_name="$name" "$@" 2>&1 | tee "$out/$name.log"
    [ -s "$out/$name.xml" ] # what failed is in there; without it nothing ran
}
check() { # check SUITE NAME COMMAND...: one test of a suite without a runner of its own
    "$root/tests/lib/check.sh" "$out" "$@"
}
built=$root/build-asan
[ $mode = quick ] && built=$root/build
build() { # the programs that are tested
    if [ $mode = quick ]; then
        "$root/deploy/build.sh" "$built"
    else
        "$root/deploy/build.sh" "$built" -DHY_SANITIZE=address,undefined
    fi
}

stage_lint() {
    local scripts
    mapfile -t scripts < <(find bench deploy docs sdk tests -name '*.sh' -not -path '*/node_modules/*')
    check lint shellcheck shellcheck .ci/run "${scripts[@]}"
    "$root/deploy/build.sh" "$root/build" || return
    check lint documents-are-current tests/lib/documents.sh build/bin --check
    if [ $mode = long ]; then
        check lint clang-tidy tests/lib/tidy.sh build
    fi
}
units() { # units NAME FOLDER ARGUMENT...: the unit tests of a build; some wait for leases, so more at a time than cores
    local name=$1 folder=$2
    shift 2
    ctest --test-dir "$folder" -j3 --output-on-failure --output-junit "$out/$name.xml" "$@" 2>&1 |
        tee "$out/$name.log" | tail -n 25
    [ -s "$out/$name.xml" ]
}
stage_unit() {
    build || return
    units unit "$built"
}
stage_fuzz() {
    local runs=20000
    [ $mode = long ] && runs=5000000
    "$root/deploy/build.sh" "$root/build-fuzz" -DCMAKE_C_COMPILER=clang -DHY_FUZZ=ON \
        -DHY_SANITIZE=address,undefined || return
    for target in build-fuzz/fuzz/fuzz_*; do
        [ -x "$target" ] || continue
        mkdir -p "$out/corpus/$(basename "$target")"
        check fuzz "$(basename "$target")" "$target" -runs=$runs -seed=1 -max_len=8192 -timeout=20 \
            "$out/corpus/$(basename "$target")" "tests/fuzz/seeds/$(basename "$target")" &
        [ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
    done
    wait
}
tsan=("$root/build-tsan" -DHY_SANITIZE=thread) ahead=
build_ahead() { # what the last stage tests, while tests of this one wait for leases and timers
    [[ " ${stages[*]} " == *" tsan "* && -z $ahead ]] || return 0
    nice -n 19 "$root/deploy/build.sh" "${tsan[@]}" >/dev/null 2>&1 &
    ahead=$!
}
stage_cluster() {
    build || return
    build_ahead
    local days=8
    [ $mode = quick ] && days=3
    [ $mode = long ] && days=20
    HONGYAN_BIN=$built/bin HONGYAN_REPLAY_DAYS=$days pytest cluster tests/cluster tests/conformance
    if [ $mode = long ]; then
        check cluster upgrade tests/upgrade.sh
    fi
}
stage_fault() {
    build || return
    local rounds=20 stop=30 seeds=1-2
    [ $mode = quick ] && rounds=3 stop=5 seeds=1
    [ $mode = long ] && rounds=100 seeds=1-40
    HONGYAN_BIN=$built/bin HONGYAN_KILL_ROUNDS=$rounds HONGYAN_STOP_S=$stop HONGYAN_LAB_SEEDS=$seeds \
        pytest fault tests/fault --dist load -n 3 # some only wait for half a minute
}
stage_tsan() { # without what has one thread a process, and without copies of what other stages do at length
    [ -z "$ahead" ] || wait "$ahead"
    "$root/deploy/build.sh" "${tsan[@]}" || return
    units tsan-unit "$root/build-tsan" -E '^(sim|fuzz_)' || return
    HONGYAN_BIN=$root/build-tsan/bin HONGYAN_REPLAY_DAYS=2 HONGYAN_TEST_WAIT_S=60 \
        pytest tsan tests/cluster --ignore-glob '*/test_bench*' --ignore-glob '*/test_peers*' \
        --ignore-glob '*/test_backup*' --ignore-glob '*/test_replay*' --ignore-glob '*/test_hostile*' \
        --ignore-glob '*/test_upgrade*'
}
stage_web() {
    build || return
    tests/web/run.sh "$built/bin" "$out" >"$out/web.log" 2>&1 || tail -n 40 "$out/web.log"
    [ -e "$out/web-browser.xml" ] # else it did not get that far
}

started=$SECONDS
for stage in "${stages[@]}"; do
    echo "== $stage"
    begun=$SECONDS
    "stage_$stage" || check "$stage" "stage-$stage-could-run" false
    echo "== $stage took $((SECONDS - begun)) s"
done
echo "All stages took $((SECONDS - started)) s"
exec /usr/bin/python3 "$root/tests/lib/tally.py" "$out"
