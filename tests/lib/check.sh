#!/bin/sh
# One command as one test: runs it, and writes a JUnit file of one case.
#
# usage: check.sh FOLDER SUITE NAME COMMAND...
set -u
folder=$1 suite=$2 name=$3
shift 3
log=$folder/$suite-$name.log
if "$@" >"$log" 2>&1; then
    result="" mark=passed
else
    result="<failure message=\"see $suite-$name.log\"/>" mark=FAILED
fi
printf '<testsuite name="%s"><testcase classname="%s" name="%s">%s</testcase></testsuite>\n' \
    "$suite" "$suite" "$name" "$result" >"$folder/$suite-$name.xml"
echo "$suite $name: $mark"
[ $mark = passed ] || tail -n 30 "$log"
