"""One JSON object as the answer of a task that looks at something (`--json`): docs/releases.md, "For programs"."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from shipper.findings import Finding

# Grows when a key changes its meaning or goes away; new keys may appear at any time.
SCHEMA = 1


def render_answer(findings: Iterable[Finding] = (), exit_code: int = 0, **answer: Any) -> str:
    """Return the answer as one line of JSON, in ASCII; `answer` holds what the task itself has to say."""
    told = [
        {
            "rule": finding.rule,
            "severity": finding.severity,
            "path": finding.path,
            "line": finding.line,
            "commit": finding.commit,
            "message": finding.message,
            "why": finding.why,
            "fix": finding.fix,
        }
        for finding in findings
    ]
    return json.dumps({"schema": SCHEMA, "ok": exit_code == 0, "exit_code": exit_code, "findings": told, **answer})
