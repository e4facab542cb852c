"""Turn node's TAP output into JUnit, for tally.py. usage: tap.py FILE SUITE"""
import re
import sys
from xml.sax.saxutils import quoteattr

cases = []
for line in open(sys.argv[1], encoding="utf-8"):
    found = re.match(r"^( *)(not ok|ok) \d+ - (.*?)( # (SKIP|TODO).*)?$", line.rstrip("\n"))
    if found:
        depth = len(found[1]) // 4
        # a test with subtests reports itself after them, one level up: count the leaves only
        while cases and cases[-1][0] > depth:
            cases[-1] = (depth, *cases[-1][1:])
            depth = None
            break
        if depth is not None:
            cases.append((depth, found[2] == "ok", found[3], found[5] == "SKIP"))
print(f'<testsuite name="{sys.argv[2]}">')
for _, passed, name, skipped in cases:
    inner = "<skipped message=\"see the log\"/>" if skipped else "" if passed else '<failure message="see the log"/>'
    print(f'<testcase classname="{sys.argv[2]}" name={quoteattr(name)}>{inner}</testcase>')
print("</testsuite>")
