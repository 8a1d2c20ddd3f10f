"""The whole output of builds in the log of GitHub's actions, folded: there is no terminal that shows its last line."""

from __future__ import annotations

from collections import defaultdict

from shipper.events import Event
from shipper.report.github import in_actions, render_folded

# Of a step; what is older is of no use to anybody who looks for a cause.
_MOST_LINES = 5000


class FoldedOutput:
    """Keeps the output of each step until it ended; nothing outside of GitHub's actions."""

    def __init__(self) -> None:
        self._wanted = in_actions()
        self._lines: defaultdict[tuple[str, str], list[str]] = defaultdict(list)

    def keep(self, event: Event) -> None:
        """Keep one line."""
        if self._wanted:
            self._lines[event.server, event.step].append(event.text)

    def take(self, event: Event) -> str:
        """Return the folded output of the step that ended, "" when it had none."""
        return self._fold(event.server, event.step)

    def take_all(self) -> str:
        """Return the folded output of the steps that never said how they ended."""
        return "".join(self._fold(server, step) for server, step in list(self._lines))

    def _fold(self, server: str, step: str) -> str:
        lines = self._lines.pop((server, step), [])
        place = f"{server}: " if server else ""
        return render_folded(f"output of {place}{step}", lines[-_MOST_LINES:]) if lines else ""
