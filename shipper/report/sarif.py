"""The outcome of a check as SARIF 2.1.0, which code scanning services read (`--sarif FILE`)."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from shipper import __version__
from shipper.check.report import CheckReport
from shipper.findings import Finding, Severity

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# SARIF's words for how bad a result is, §3.27.10, are the ones of Finding.
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "note"}
# The `/v1` is SARIF's way to let the computation change later, §3.27.16.
_FINGERPRINT = "shipperFinding/v1"


def render_sarif(report: CheckReport) -> str:
    """Return the report as the text of a SARIF file, in ASCII. The rules are those that found something."""
    rules = _rules(report.findings)
    numbers = {rule["id"]: index for index, rule in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "shipper", "semanticVersion": __version__, "rules": rules}},
        "invocations": [{"executionSuccessful": True, "exitCode": report.exit_code}],
        "automationDetails": {"id": "shipper/check/"},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, numbers[finding.rule], fingerprint)
            for finding, fingerprint in zip(report.findings, _fingerprints(report.findings), strict=True)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return each rule once, with the reason and the way out of the worst of its findings."""
    order = {severity: index for index, severity in enumerate(_LEVELS)}
    first: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda one: (one.rule, order[one.severity])):
        first.setdefault(finding.rule, finding)
    return [
        {
            "id": rule,
            "name": "".join(word.capitalize() for word in rule.replace(".", "-").split("-")),
            "shortDescription": {"text": (finding.why or rule).splitlines()[0]},
            "fullDescription": {"text": finding.why or finding.message},
            "help": {"text": "\n".join(part for part in (finding.why, finding.fix) if part) or finding.message},
            "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        }
        for rule, finding in first.items()
    ]


def _result(finding: Finding, rule_number: int, fingerprint: str) -> dict[str, Any]:
    # Services show only what has a place; the top of the repository is that of a commit's message.
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path) or ".", "uriBaseId": "%SRCROOT%"}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    text = "\n".join(part for part in (finding.message, finding.fix) if part)
    result = {
        "ruleId": finding.rule,
        "ruleIndex": rule_number,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
    }
    return {**result, "properties": {"commit": finding.commit}} if finding.commit else result


def _fingerprints(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what makes a result the same one in the next run: rule, file and message, and which of several equal ones.

    Never the line or the commit, which other edits change.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        key = (finding.rule, finding.path, finding.message)
        seen[key] += 1
        whole = "\0".join((*key, str(seen[key])))
        yield hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _uri(path: str) -> str:
    """Return a path as a relative reference of RFC 3986: everything is escaped but letters, digits and `/-._~`."""
    return quote(os.fsencode(path), safe="/")
