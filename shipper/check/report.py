"""What a check saw and found: the data that the renderings in `shipper.report` are made of."""

from __future__ import annotations

from dataclasses import dataclass

from shipper.findings import Finding, Severity

CLEAN, BLOCKED = 0, 3


@dataclass(frozen=True)
class CheckReport:
    """The outcome of one check. `title` names what was looked at, such as "the staged changes"; `commits` and `files`
    say how much that was; `notes` are what else there is to know, such as what was not looked at.
    """

    findings: tuple[Finding, ...]
    title: str
    commits: int
    files: int
    notes: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """Return the number of findings of one severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """The exit code of the check: 3 with errors, 0 without; warnings and notes block nothing."""
        return BLOCKED if self.count("error") else CLEAN
