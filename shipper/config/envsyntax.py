"""The syntax of env files, as people write them: one pass from text to variables, with what is odd as findings.

No value appears in a finding or an error. What the values mean is the business of `shipper.config.envfile`.
"""

from __future__ import annotations

import re

from shipper.errors import ConfigError
from shipper.findings import Finding, Severity

_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*")
_DOUBLE_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
_REST_OF_LINE = re.compile(r"[^\n]*")
_AFTER_QUOTE = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?=\n|\Z)")
_COMMENT = re.compile(r"(?<=[ \t])#")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# \" \\ \` \$ and a hidden newline are systemd's (systemd.exec(5), EnvironmentFile=); \n \r \t are what every dotenv
# reader adds for keys in one line, and render_env never writes them.
_ESCAPES = {'"': '"', "\\": "\\", "`": "`", "$": "$", "\n": "", "n": "\n", "r": "\r", "t": "\t"}
_INTERPOLATION = re.compile(r"(?<!\\)\$(?:\{[^}]*\}|[A-Za-z_])")
# systemd.exec(5): "unicode scalar values other than unicode noncharacters". With one, the whole file is refused.
_NONCHARACTER = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane * 0x10000 + low) for plane in range(17) for low in (0xFFFE, 0xFFFF)) + "]"
)


_HOW_TO_QUOTE = {'"': 'is written \\"', "'": "needs double quotes around the value"}


class EnvReader:
    """One pass over the text of an env file; `source` names it in messages."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.text = text
        self.position = 0
        self.values: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        self.findings: list[Finding] = []

    def read(self) -> None:
        """Fill `values`, `lines` and `findings`; raises ConfigError for a line that is no assignment."""
        self._accept_windows_line_ends()
        self._refuse_noncharacters()
        while self.position < len(self.text):
            line = _REST_OF_LINE.match(self.text, self.position)
            assert line is not None
            content = line.group().strip()
            if not content or content.startswith("#"):
                self.position = line.end() + 1
            else:
                self._assignment(line.end())

    def find(self, rule: str, severity: Severity, line: int, message: str, why: str, fix: str) -> None:
        """Note something odd that does not stop the reading."""
        self.findings.append(Finding(rule, severity, message, why, fix, self.source, line))

    def _accept_windows_line_ends(self) -> None:
        """Take CRLF for line ends when every line has it: then an editor wrote them, also inside quoted values.

        Where only some lines have it, a CR inside quotes is somebody's value and stays.
        """
        newlines = self.text.count("\n")
        if newlines and self.text.count("\r\n") == newlines:
            self.text = self.text.replace("\r\n", "\n")
            self.find(
                "env.windows-line-ends",
                "note",
                1,
                "The file has Windows line ends (CRLF)",
                "A shell or Docker would put a CR at the end of every value; shipper does not.",
                "Set your editor to LF for this file.",
            )

    def _refuse_noncharacters(self) -> None:
        found = _NONCHARACTER.search(self.text)
        if found:
            self.position = found.start()
            raise self._error(
                self._line(), "holds a character that systemd refuses", "Retype the value; the character is invisible."
            )

    def _assignment(self, end: int) -> None:
        number = self._line()
        start = end - len(self.text[self.position : end].lstrip())
        head = _NAME.match(self.text, start)
        if head is None or head.end() > end:
            raise self._error(number, "expected NAME=value", self._hint(self.text[start:end]))
        name = head[1]
        value = self._value(name, head.end(), number)
        if name in self.values:
            self.find(
                "env.duplicate",
                "warning",
                number,
                f"{name} is set again (first in line {self.lines[name]})",
                "The last one counts.",
                f"Remove one of the two lines of {name}.",
            )
        self.values.pop(name, None)
        self.values[name] = value
        self.lines[name] = number

    def _value(self, name: str, start: int, number: int) -> str:
        """Read the value that begins at `start` and move behind its line."""
        quote = self.text[start : start + 1]
        if quote not in ('"', "'"):
            return self._plain_value(name, start, number)
        quoted = (_DOUBLE_QUOTED if quote == '"' else _SINGLE_QUOTED).match(self.text, start)
        if quoted is None:
            raise self._error(
                number, f"the {quote} that begins the value of {name} is never closed", f"Add the closing {quote}."
            )
        rest = _AFTER_QUOTE.match(self.text, quoted.end())
        if rest is None:
            raise self._error(
                number,
                f"there is something after the closing {quote} of {name}",
                f"Put the whole value into one pair of quotes; a {quote} inside it {_HOW_TO_QUOTE[quote]}.",
            )
        self.position = rest.end() + 1
        if quote == "'":
            return quoted[1]
        self._note_interpolation(name, quoted[1], number)
        return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), quoted[1])

    def _plain_value(self, name: str, start: int, number: int) -> str:
        line = _REST_OF_LINE.match(self.text, start)
        assert line is not None
        self.position = line.end() + 1
        value = line.group()
        if value.endswith("\r"):
            self.find(
                "env.carriage-return",
                "note",
                number,
                f"{name} ends with a CR, which is left out",
                "An editor on Windows put it there.",
                "Save the file with LF line ends.",
            )
        comment = _COMMENT.search(self.text, start, line.end())
        if comment:
            value = self.text[start : comment.start()]
            if value:
                self.find(
                    "env.comment",
                    "note",
                    number,
                    f"{name} has a comment behind its value",
                    "What follows ' #' is not part of the value.",
                    f"If it is meant to be: {name}='...' with quotes.",
                )
        self._note_interpolation(name, value, number)
        return value.strip(" \t\r")

    def _note_interpolation(self, name: str, value: str, number: int) -> None:
        if _INTERPOLATION.search(value):
            self.find(
                "env.interpolation",
                "note",
                number,
                f"{name} holds a $, which is kept as it is",
                "Nothing replaces ${OTHER} by another variable's value.",
                f"If it is a reference, write the value itself; if not, {name}='...' with single quotes says so.",
            )

    def _line(self) -> int:
        return self.text.count("\n", 0, self.position) + 1

    def _hint(self, line: str) -> str:
        if re.match(r"[A-Za-z_][A-Za-z0-9_]*[ \t]*:", line):
            return "Write NAME=value, not NAME: value."
        if "=" in line:
            return "A name consists of letters, digits and '_', and does not begin with a digit."
        return "Write NAME=value in one line, or begin the line with '#'; a value of several lines needs double quotes."

    def _error(self, line: int, what: str, fix: str) -> ConfigError:
        return ConfigError(f"{self.source}:{line}  {what}.", fix=fix)
