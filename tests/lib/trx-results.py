#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Prints the results of a .NET test run (trx files) as `pass NAME` and
`fail NAME` lines. A test that was not executed is a failure: nothing is
skipped silently. The message of a failed test goes to standard error."""

import sys
import xml.etree.ElementTree as ET

NS = {"t": "http://microsoft.com/schemas/VisualStudio/TeamTest/2010"}


def class_names(root):
    """Test id to the class it is in."""
    names = {}
    for test in root.iterfind(".//t:UnitTest", NS):
        method = test.find("t:TestMethod", NS)
        names[test.get("id")] = method.get("className").split(".")[-1]
    return names


def print_file(path):
    root = ET.parse(path).getroot()
    classes = class_names(root)
    for result in root.iterfind(".//t:UnitTestResult", NS):
        name = f'{classes.get(result.get("testId"), "?")}.{result.get("testName")}'
        name = " ".join(name.split())
        passed = result.get("outcome") == "Passed"
        print("pass" if passed else "fail", name)
        if not passed:
            message = result.findtext(".//t:Message", "not executed", NS)
            sys.stderr.write(f"  FAIL {name}\n    {message.strip()[:2000]}\n")


for argument in sys.argv[1:]:
    print_file(argument)
