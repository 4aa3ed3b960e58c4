"""The report of `sojourn test` that CI servers read: JUnit's XML, a suite for each folder. It plays nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from commands.scenario_files import Suite, Tried
from commands.scenario_words import lines, moments
from journey.simulation.coverage import Coverage

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(played: Sequence[Suite], least: int = 0) -> str:
    """The text of the file. Coverage below `least` percent is a failed test case of its journey."""
    top = ElementTree.Element("testsuites", name="sojourn test")
    for suite in played:
        cases = [_case(one) for one in suite.tried] + ([_covered(one, least) for one in suite.coverage] if least else [])
        inside = ElementTree.SubElement(top, "testsuite", name=_clean(str(suite.root)), tests=str(len(cases)), skipped="0")
        inside.set("failures", str(sum(case.find("failure") is not None for case in cases)))
        inside.set("errors", str(sum(case.find("error") is not None for case in cases)))
        inside.set("time", f"{sum(one.seconds for one in suite.tried):.6f}")
        inside.extend(cases)
    ElementTree.indent(top)
    return ElementTree.tostring(top, encoding="unicode", xml_declaration=False).join(('<?xml version="1.0" encoding="utf-8"?>\n', "\n"))


def _case(one: Tried) -> ElementTree.Element:
    journey = one.scenario.journey if one.scenario is not None else "scenarios"
    case = ElementTree.Element(
        "testcase", classname=_clean(journey), name=_clean(one.id), file=_clean(str(one.file)), time=f"{one.seconds:.6f}"
    )
    if one.faults:
        first = one.faults[0]
        said = "\n".join(f"{fault.file}:{fault.line}: {fault.finding.sentence}" for fault in one.faults)
        _add(case, "error", first.finding.sentence, said)
    elif one.differences and one.story is not None:
        differing = ", ".join(difference.field for difference in one.differences)
        told = [line for difference in one.differences for line in (f"{difference.field}:", *lines(difference))]
        _add(case, "failure", f"Not as expected: {differing}", "\n".join([*told, "", "what happened:", *moments(one.story.timeline)]))
    return case


def _covered(one: Coverage, least: int) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=_clean(one.journey), name="coverage", time="0")
    if one.percent < least:
        _add(case, "failure", f"{one.percent} % is covered, {least} % is asked for", one.sentence())
    return case


def _add(case: ElementTree.Element, kind: str, message: str, text: str) -> None:
    ElementTree.SubElement(case, kind, message=_clean(message)).text = _clean(text)


def _clean(text: str) -> str:
    """Without the characters that no XML may hold."""
    return _NO_XML.sub("�", text)
