"""The report as JUnit's XML, for what shows test results. Pure."""

import re
from xml.etree import ElementTree

from chalicelib.report.findings import Finding, Report
from chalicelib.templating import clean

NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """A test suite for each rule: a failed case for each open finding, one passed case for all that passed."""
    root = ElementTree.Element("testsuites", name="sagemaker-auditor", tests="0", failures="0")
    tests = failures = 0
    for rule, counts in report.rules.items():
        failed = [finding for finding in report.open_findings() if finding.rule == rule]
        suite = ElementTree.SubElement(root, "testsuite", name=rule)
        _narrowed(suite, report)
        passed = counts.passed if report.passes is None else 0
        for resource in (passing for passing in report.passes or () if passing.rule == rule):
            ElementTree.SubElement(suite, "testcase", classname=rule, name=_xml(resource.name) or rule)
        for finding in failed:
            case = ElementTree.SubElement(suite, "testcase", classname=rule, name=_xml(finding.resource.name) or rule)
            if (place := finding.resource.declared) is not None:
                case.set("file", _xml(place.file))
                if place.line:
                    case.set("line", str(place.line))
            message = ElementTree.SubElement(
                case, "failure", type=finding.severity.value, message=_xml(finding.summary)
            )
            message.text = _xml("\n".join([*_declared(finding), finding.why, finding.fix.text, *finding.fix.commands]))
        if passed:
            ElementTree.SubElement(suite, "testcase", classname=rule, name=f"{passed} resources pass")
        if counts.unknown:
            case = ElementTree.SubElement(suite, "testcase", classname=rule, name=f"{counts.unknown} resources unknown")
            ElementTree.SubElement(case, "skipped", message="something needed could not be read")
        number = len(suite.findall("testcase"))
        suite.set("tests", str(number))
        suite.set("failures", str(len(failed)))
        suite.set("errors", "0")
        suite.set("skipped", str(int(counts.unknown > 0)))
        suite.set("timestamp", report.started_at.strftime("%Y-%m-%dT%H:%M:%S"))
        tests, failures = tests + number, failures + len(failed)
    root.set("tests", str(tests))
    root.set("failures", str(failures))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _narrowed(suite: ElementTree.Element, report: Report) -> None:
    """The properties of a suite that say what a narrowed report leaves out."""
    if report.shown is None:
        return
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("shown", report.shown.words), ("left-out", report.shown.left_out)):
        if value is not None:
            ElementTree.SubElement(properties, "property", name=name, value=_xml(str(value)))


def _declared(finding: Finding) -> list[str]:
    place = finding.resource.declared
    return [f"Declared in {place}."] if place is not None else []


def _xml(text: str) -> str:
    """Text without what XML 1.0 cannot hold."""
    return NOT_IN_XML.sub("", clean(text))
