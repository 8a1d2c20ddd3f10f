"""What must never be shown, known in one place: everything that is printed or written for people goes through `masked`.

Who reads a secret says so (`hide`); the console, `--json`, the records of ships and the report ask.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipper.agent.mask import Mask

# Of this process: what CI systems and package managers hand over. Not simply KEY or AUTH: those name sockets, too.
_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY")
# Their values are built into what every visitor gets.
_PUBLIC_NAME = re.compile(r"(NEXT_PUBLIC|VITE|REACT_APP|PUBLIC)_")
# A store's name, or where a token lies: to mask such a word would blot out ordinary text. A password may be a word.
_PLACE = re.compile(r"[a-z]{1,12}|(?:[A-Za-z]:)?[/\\][\w./\\ -]*")
_hidden: dict[str, str] = {}
_mask: Mask | None = None


def hide(variables: Mapping[str, str]) -> None:
    """Never show the secret ones of these variables (name to value) from now on."""
    global _mask
    _hidden.update(variables)
    _mask = None


def hide_environment() -> None:
    """Never show what the environment of this process holds under the name of a secret."""
    named = {name: value for name, value in os.environ.items() if _SECRET_NAME.search(name)}
    hide({name: value for name, value in named.items() if not _is_public(name, value)})


def _is_public(name: str, value: str) -> bool:
    return bool(_PUBLIC_NAME.match(name)) or ("PASS" not in name and bool(_PLACE.fullmatch(value)))


def masked(text: str) -> str:
    """Return the text with every secret replaced by stars."""
    global _mask
    if not _hidden:
        return text
    if _mask is None:
        from shipper.agent.mask import Mask  # the one implementation, for the server and for here

        _mask = Mask(_hidden.items())
    return _mask(text)


def masked_data(data: Any) -> Any:
    """Return data as JSON knows it with every text in it masked; the names of keys are ours."""
    if isinstance(data, str):
        return masked(data)
    if isinstance(data, Mapping):
        return {key: masked_data(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [masked_data(value) for value in data]
    return data
