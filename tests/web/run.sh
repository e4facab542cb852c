#!/bin/sh
# The web SDK and the demo page: units, a real cluster, and two headless browsers that chat.
#
# usage: tests/web/run.sh BIN FOLDER      (programs; where the JUnit files go)
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$1
out=$2
dir=$(mktemp -d)
# shellcheck disable=SC2317 # the trap calls it
stop() {
    "$bin/hongyanctl" down --dir "$dir/cluster" >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap stop EXIT
(cd "$root/sdk/web" && npm ci --no-audit --no-fund >"$dir/npm.log" 2>&1) || { tail -n 20 "$dir/npm.log"; exit 1; }
"$bin/hongyanctl" up --dir "$dir/cluster" --gateways 2 --routers 2 --shards 2 --detach
export HONGYAN_CLUSTER_JSON="$dir/cluster/cluster.json"
status=0
for suite in units browser; do
    files=$root/tests/web/demo.browser.mjs
    [ $suite = browser ] || files=$(ls "$root"/tests/web/*.test.mjs)
    # shellcheck disable=SC2086 # a list of files
    node --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=tap \
        --test-reporter-destination="$dir/$suite.tap" $files || status=1
    /usr/bin/python3 "$root/tests/lib/tap.py" "$dir/$suite.tap" "web-$suite" >"$out/web-$suite.xml"
done
exit $status
