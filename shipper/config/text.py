"""Text files as people's editors leave them: bytes to text, with clear words when that is not possible."""

from __future__ import annotations

import codecs

from shipper.errors import ConfigError

BYTE_ORDER_MARK = "\ufeff"


def decode_text(content: bytes, source: str) -> str:
    """Return UTF-8 bytes as text, without a byte order mark; line ends stay as they are.

    `source` names the file in the error. Raises ConfigError for UTF-16 (what PowerShell's `>` writes), for another
    encoding (CP949 from a Korean Windows) and for NUL, which no text file has.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigError(
            f"{source} is saved as UTF-16, which nothing on the server can read.",
            why="Windows PowerShell writes UTF-16 when the output of a command is sent to a file with '>'.",
            fix=f"Open {source} in an editor, choose 'Save with encoding: UTF-8', and save it.",
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{source}:{line}  this line is not UTF-8 text.",
            why="The file was probably saved in another encoding, such as CP949 on a Korean Windows.",
            fix=f"Open {source} in an editor, choose 'Save with encoding: UTF-8', and save it.",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(
            f"{source}:{line}  there is a NUL character in this line.",
            why="A NUL cannot be part of a text file or of an environment variable.",
            fix=f"Retype line {line} of {source}, and save the file as UTF-8.",
        )
    return text.removeprefix(BYTE_ORDER_MARK)
