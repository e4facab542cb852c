"""Add up the JUnit files of a folder; print what failed, what was skipped and why, and the sum."""
import pathlib
import sys
import xml.etree.ElementTree as xml

passed, failed, skipped = 0, [], []
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
    for case in xml.parse(file).iter("testcase"):
        name = f"{file.stem}: {case.get('classname')} {case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif skip is not None or case.get("status") == "notrun":
            skipped.append(f"{name}: {skip.get('message') if skip is not None else 'not run'}")
        else:
            passed += 1
for name in skipped:
    print("skipped", name)
for name in failed:
    print("FAILED", name)
if passed + len(failed) == 0:
    failed.append("no test ran")
tail = f", {len(skipped)} skipped" if skipped else ""
print(f"{passed} passed, {len(failed)} failed{tail}")
sys.exit(1 if failed else 0)
