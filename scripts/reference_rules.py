"""The rules of the secret check and the errors with their exit codes as Markdown tables, read from the code."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path

from shipper import errors as shipper_errors
from shipper.check import hygiene
from shipper.check.hygiene.names import check_name
from shipper.check.hygiene.rules import Words, load_rules
from shipper.errors import ShipperError

_FOLDER = Path(hygiene.__file__).parent
_GENERAL = ("password", "secret", "token", "key")
_HUGE = 1 << 40


def rules(which: str) -> str:
    """Return the rules about `names` or about `contents`: id, severity, what is found, why, the way out."""
    found = dict({"names": _names, "contents": _contents}[which]())
    rows = (
        f"| `{rule}` | {severity} | {words.what}. {words.why} | {words.fix} |"
        for rule, (severity, words) in sorted(found.items(), key=lambda one: one[0])
    )
    return "\n".join(["| rule | severity | what and why | the way out |", "|---|---|---|---|", *rows])


def errors(_: str) -> str:
    """Return the kinds of errors with their exit codes."""
    kinds = [one for _, one in inspect.getmembers(shipper_errors, inspect.isclass) if issubclass(one, ShipperError)]
    rows = [
        f"| {one.exit_code} | {one.__name__} | {_first_paragraph(one)} |"
        for one in sorted(kinds, key=lambda one: (one.exit_code, one.__name__))
    ]
    return "\n".join(["| exit code | kind | when |", "|---|---|---|", *rows])


def _first_paragraph(kind: type) -> str:
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


def _names() -> Iterator[tuple[str, tuple[str, Words]]]:
    entries = tomllib.loads((_FOLDER / "names.toml").read_text(encoding="utf-8"))["rule"]
    for entry in reversed(entries):  # of several entries of one rule the first is the general one
        yield entry["id"], (entry["severity"], Words(entry["what"], entry["why"], entry["fix"]))
    large = check_name("video.bin", _HUGE, lambda: b"")
    assert large is not None
    yield large.rule, ("warning, error from 100 MiB", Words("A file of 50 MiB or more", large.why, large.fix))


def _contents() -> Iterator[tuple[str, tuple[str, Words]]]:
    known = load_rules()
    for name, words in known.texts.items():
        if name.startswith("secret.") or name in _GENERAL:
            yield (name if name.startswith("secret.") else f"secret.{name}"), ("error", words)
    groups = (*known.tokens.values(), *known.places.values(), *known.lines.values())
    for shape in (shape for group in groups for shape in group):
        yield shape.rule, (shape.severity, shape.words)
