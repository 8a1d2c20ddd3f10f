"""The models of `[check]`: what `inv check` finds and may let pass, each with a reason."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from shipper.config.globs import matches_glob
from shipper.config.model import Model
from shipper.findings import Finding


def _toml_date(value: object) -> datetime.date:
    """Return a date of TOML, which `shipper.config.load` hands over as `[["2026-12-31"]]`."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    match value:
        case [[str() as text]]:
            return datetime.date.fromisoformat(text)
    raise ValueError("expected a date without quotes, such as 2026-12-31")


Until = Annotated[datetime.date, BeforeValidator(_toml_date)]


class Allow(Model):
    """`[[check.allow]]`: findings that are known and may stay. No line numbers, because they change with every edit."""

    rule: Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?][a-z0-9.*?-]*$")] = Field(
        "*", description="the rule's id as it is shown behind a finding. `*` and `?` stand for any letters"
    )
    path: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description=(
            "the file, relative to this one. `*` and `?` stay within a folder, `**` goes through folders: `docs/**`, "
            "`**/*.md`. Brackets mean themselves; default: any file"
        ),
    )
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$")] | None = Field(
        None,
        description=(
            "the commit in which it was found, or the first seven or more characters of its id; default: any commit"
        ),
    )
    reason: str = Field(min_length=3, description="why it may stay; shown when somebody asks")
    until: Until | None = Field(
        None,
        description=(
            "the last day on which it may stay, without quotes: `2026-12-31`. After it the entry is an error; "
            "default: for good"
        ),
    )

    @model_validator(mode="after")
    def _somewhere(self) -> Allow:
        if self.path is None and self.commit is None:
            raise ValueError("expected 'path' or 'commit': a rule that may be broken everywhere is no rule")
        return self

    def covers(self, finding: Finding) -> bool:
        """Say whether the finding, with its path relative to `ship.toml`, is one that this entry means."""
        return (
            matches_glob(self.rule, finding.rule)
            and (self.path is None or matches_glob(self.path, finding.path))
            and (self.commit is None or finding.commit.startswith(self.commit))
        )


class Check(Model):
    """`[check]`: what the secret check lets pass."""

    allow: tuple[Allow, ...] = Field((), description="findings that are known and may stay")
