#!/bin/sh
# Make the generated pages (docs/configuration.md, docs/codes.md) from the programs' own tables.
#
# usage: documents.sh BIN [--check]     --check: fail if they differ from what is committed
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$1
to=$root/docs
[ "${2:-}" != --check ] || to=$(mktemp -d)
{
    echo "# Settings"
    echo
    echo "Made from the programs' option tables by tests/lib/documents.sh; do not edit."
    echo "Every key can also come from the environment: \`HONGYAN_GATEWAY__LISTEN__TCP\` sets \`listen.tcp\`"
    echo "of the gateway. Keys marked *reload* act on SIGHUP."
    for program in gateway router presence store; do
        echo
        "$bin/hongyan-$program" --config-doc
    done
    echo
    "$bin/hongyanctl" app settings --markdown
} >"$to/configuration.md"
"$bin/hongyanctl" codes --markdown >"$to/codes.md"
[ "${2:-}" = --check ] || exit 0
status=0
for page in configuration codes; do
    diff -u "$root/docs/$page.md" "$to/$page.md" || status=1
done
rm -rf "$to"
[ $status = 0 ] || echo "Run tests/lib/documents.sh $bin and commit the pages." >&2
exit $status
