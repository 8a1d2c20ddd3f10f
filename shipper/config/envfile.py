"""Env files: the one parser and the one writer (no shell ever reads them, field note E8), and the rules about values.

What people write is accepted and told about; what is written again is the form that systemd reads back unchanged.
Values are secrets: they appear in no message, no finding and no repr.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from shipper.config.backend import Backend
from shipper.config.envsyntax import EnvReader
from shipper.config.text import decode_text
from shipper.findings import Finding, Severity


@dataclass(frozen=True)
class EnvFile:
    """Variables in the order of the file. Equality is about the values; `lines` and `findings` are about the source.

    `lines` holds the line (from 1) on which each variable begins.
    """

    source: str = field(compare=False)
    values: Mapping[str, str] = field(repr=False)
    lines: Mapping[str, int] = field(compare=False, repr=False, default_factory=dict)
    findings: tuple[Finding, ...] = field(compare=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        object.__setattr__(self, "lines", MappingProxyType(dict(self.lines)))


def mask(value: str) -> str:
    """Return what may be shown of a value: whether there is one. Not even its length, which helps who guesses."""
    return "********" if value else "(empty)"


def parse_env(content: str | bytes, source: str) -> EnvFile:
    """Read an env file; `source` names it in messages.

    Accepted: `NAME=value`, `export NAME=value`, blanks around `=`, comments in their own line or after a blank, single
    quotes (verbatim), double quotes (with escapes), quoted values over several lines, CRLF, a byte order mark. The
    last one of a repeated name counts; `${OTHER}` stays as it is. Oddities are in `findings`. Raises ConfigError,
    naming file and line but never a value, for a line that is none of these.
    """
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    reader = EnvReader(decode_text(raw, source), source)
    if raw.startswith(b"\xef\xbb\xbf"):
        reader.find(
            "env.byte-order-mark",
            "note",
            1,
            "The file begins with a byte order mark",
            "Other programs read it as part of the first name.",
            "Save it as 'UTF-8', not 'UTF-8 with BOM'.",
        )
    reader.read()
    return EnvFile(source, reader.values, reader.lines, tuple(reader.findings))


def render_env(env: EnvFile) -> str:
    """Return the variables as the text of a file that systemd's EnvironmentFile= reads back unchanged.

    Every value is in double quotes, where systemd (and `parse_env`) take everything verbatim but `"`, `\\`, `` ` ``
    and `$`, which get a backslash: systemd.exec(5), EnvironmentFile=. Newlines stay newlines.
    """
    return "".join(f'{name}="{_escape(value)}"\n' for name, value in env.values.items())


def _escape(value: str) -> str:
    return re.sub(r'(["\\`$])', r"\\\1", value)


# Names whose values are secrets, in the words people use for them.
_SECRET_NAME = re.compile(
    r"SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|(^|_)(PW|PWD|PASS|SALT)($|_)"
)
# ... and names about a secret whose values are settings: TOKEN_EXPIRE_MINUTES, PASSWORD_MIN_LENGTH, SECRET_KEY_FILE.
_SETTING_NAME = re.compile(
    r"_(MINUTES|SECONDS|HOURS|DAYS|TTL|AGE|LIFETIME|EXPIR[A-Z]*|EXPIRES_IN|LENGTH|ALGORITHM|URL|URI|FILE|PATH|NAME|HEADER|ID|TYPE|ENABLED|HASHERS?)$"
)
_URL_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]*?:(.*)@[^@]*$", re.DOTALL)
# Field note E5: what example files say, in English and in Korean.
_PLACEHOLDER = re.compile(
    r"change[-_ ]?(me|this|it)|replace[-_ ]?(me|this|with)|fill[-_ ]?(me|this|in)|placeholder|to[-_ ]?do($|\W)|"
    r"(^|[-_ <])your[-_ ]|(put|insert|enter)[-_ ].*[-_ ](here|secret|password|key)|[-_ ]here>?$|"
    r"^<[^<>]+>$|^x{4,}$|^\.{3,}$|^example($|[-_ ])|입력|여기에|변경|바꾸|바꿔|비밀번호|수정하|예시",
    re.IGNORECASE,
)
# Field note E6, and what stands first in every published list of common passwords.
_COMMON = re.compile(
    r"p[a@]ssw[o0]rd(1|12|123|1234|!)?|(admin|root|test|user|secret|guest|abc|abcd|qwerty)(1|12|123|1234|!)?|"
    r"administrator|toor|postgres(ql)?|mysql|redis|secretkey|letmein|welcome|qwertyuiop|iloveyou|1q2w3e4r!?|"
    r"dev(password)?|default|master|dragon|monkey|django|fastapi",
    re.IGNORECASE,
)
_NEW_ONE = 'Make a new one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'


def check_env(env: EnvFile, backend: Backend) -> list[Finding]:
    """Return what is wrong with the values for this backend, in the order of the file.

    Errors: required variables missing or empty (E3, E7), placeholders where a secret belongs (E5), a CR at the end of
    a value (B8). Warnings: weak secrets (E6). What does not fit the target's address is another matter
    (shipper.check.web_settings).
    """
    findings = [
        Finding(
            "env.missing",
            "error",
            f"{name} is missing, and ship.toml requires it",
            "The backend would start without it, or not at all.",
            f"Add {name}=... to {env.source}, then run: inv env.push",
            env.source,
        )
        for name in backend.required_env
        if name not in env.values
    ]
    for name, value in env.values.items():
        for rule, severity, message, why, fix in _judge(name, value, backend):
            findings.append(Finding(rule, severity, f"{name} {message}", why, fix, env.source, env.lines.get(name)))
    return findings


_Verdict = tuple[str, Severity, str, str, str]


def _judge(name: str, value: str, backend: Backend) -> Iterator[_Verdict]:
    if value.endswith("\r"):
        yield (
            "env.carriage-return",
            "error",
            "ends with a CR",
            "The program would get an invisible character at the end of the value.",
            "Save the file with LF line ends.",
        )
    if not value.strip():
        if name in backend.required_env:
            yield (
                "env.empty",
                "error",
                "is empty, but ship.toml requires it",
                "An empty password or key fails only when it is used.",
                f"Write its value behind {name}=.",
            )
        return
    secret = _secret_part(name, value)
    if is_placeholder(name, value):
        severity: Severity = "note" if secret is None else "error"
        yield (
            "env.placeholder",
            severity,
            "still looks like the example's text",
            "Example values are public, and usually do not work.",
            f"Write the real value behind {name}=. {_NEW_ONE}",
        )
    elif secret is not None and (weakness := _weakness(name, secret)):
        yield (
            "env.weak-secret",
            "warning",
            weakness,
            "It can be guessed.",
            f"Use a random value. {_NEW_ONE}",
        )


def names_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, and not a setting about one."""
    upper = name.upper()
    return bool(_SECRET_NAME.search(upper)) and not _SETTING_NAME.search(upper)


def password_in_url(value: str) -> str | None:
    """Return the password in a URL, which may be empty; None when it has no place for one."""
    in_url = _URL_PASSWORD.match(value)
    return in_url[1] if in_url else None


def is_placeholder(name: str, value: str) -> bool:
    """Whether a value, or the secret part of it, still looks like an example's text (field note E5)."""
    secret = _secret_part(name, value)
    return bool(_PLACEHOLDER.search(value if secret is None else secret))


def _secret_part(name: str, value: str) -> str | None:
    """Return the part of a value that is secret: all of it, the password of a URL, or None when nothing is."""
    password = password_in_url(value)
    if password is not None:
        return password
    return value if names_secret(name) else None


def _weakness(name: str, secret: str) -> str | None:
    """Say what makes a secret weak, in words that follow its name; None when nothing does."""
    if not secret:
        return "has an empty password in its URL"
    if secret.startswith("django-insecure-"):
        return "is the key that startproject wrote into the settings"
    if _COMMON.fullmatch(secret):
        return "is one of the most common passwords"
    if len(set(secret)) < 5:
        return "has fewer than 5 different characters"
    if secret.isdigit():
        return "consists of digits only"
    if len(secret) < 8:
        return "is shorter than 8 characters"
    # RFC 7518, section 3.2: a key for HS256 has 256 bits or more; Django's check security.W009 wants 50 characters.
    if re.search(r"SECRET_?KEY|JWT_?SECRET|SESSION_?SECRET", name.upper()) and len(secret) < 32:
        return "is shorter than 32 characters, too short for a signing key"
    return None
