"""The one error of the agent: it crosses the connection as data and becomes a `ShipperError` on the dev machine."""

from __future__ import annotations

from collections.abc import Callable


class AgentError(Exception):
    """An expected failure on the server.

    `kind` chooses the error on the other side: "release" (a step failed, the old release serves), "host" (the server
    is not fit), "lock" (somebody else is at it), "config" (the request makes no sense here). `what`, `why` and `fix`
    are for people, as in `shipper.errors`.
    """

    def __init__(self, kind: str, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what
        self.why = why
        self.fix = fix

    def masked(self, mask: Callable[[str], str]) -> AgentError:
        """Return the same error with `mask` over all that may repeat what a program wrote."""
        return type(self)(self.kind, mask(self.what), mask(self.why), self.fix)
