"""Values that look like secrets, put together when a test runs: no literal here or in a test is one.

Cases are written with marks such as ⟦pw⟧, which `fill` replaces.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re

from secret_positives_more import VALUES


def letters(seed: str, length: int, alphabet: str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789") -> str:
    """Return letters that look random and are always the same for a seed."""
    drawn = b"".join(hashlib.sha512(f"{seed}{round}".encode()).digest() for round in range(length // 64 + 1))
    return "".join(alphabet[byte % len(alphabet)] for byte in drawn[:length])


def hexadecimal(seed: str, length: int) -> str:
    return letters(seed, length, "0123456789abcdef")


def base32(seed: str, length: int) -> str:
    return letters(seed, length, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def wide(seed: str, length: int) -> str:
    return letters(seed, length, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def part(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def jwt(**claims: object) -> str:
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{wide('signature', 43)}"


def pem(kind: str = "RSA PRIVATE KEY", lines: int = 12, end: str = "\n") -> str:
    body = b64(letters(kind, 48 * lines))
    wrapped = end.join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {kind}-----{end}{wrapped}{end}-----END {kind}-----{end}"


def samples() -> dict[str, str]:
    """Return every value that a mark stands for."""
    return {
        "pw": "Vq7" + "#mLz2pR!",
        "pw2": "hT9k" + "Wq3vXz",
        "pwurl": "Vq7" + "%23mLz2pR%21",
        "awspw": "Vq7" + "mLz2pR9x",
        "words": "apple banana cherry " + "dog elephant frog grape hotel ice jelly kite lemon",
        "weak": "admin" + "1234",
        "pin": "8273" + "6450",
        "appw": "xkvq plmw etrz bnas",
        "secret": letters("secret", 48),
        "hex": hexadecimal("hex", 32),
        "hex64": hexadecimal("hex64", 64),
        "key": letters("key", 32),
        "uuid": "-".join(hexadecimal(f"uuid{at}", length) for at, length in enumerate((8, 4, 4, 4, 12))),
        "aws": "AK" + "IA" + base32("aws", 16),
        "awssecret": letters("awssecret", 39) + "/",
        "ghp": "gh" + "p_" + letters("ghp", 36),
        "jwt": jwt(sub="user-8271", iss="https://login.acme-corp.kr"),
        "pem": pem(),
        "pemline": pem(end="\\n"),
        "basic": b64("deploy:" + "Vq7" + "#mLz2pR!"),
        "b64pw": b64("Vq7" + "#mLz2pR!"),
        **VALUES,
    }


def fill(text: str) -> str:
    known = samples()
    return re.sub(r"⟦(\w+)⟧", lambda mark: known[mark[1]], text)


def values_in(text: str) -> list[str]:
    known = samples()
    return [known[name] for name in re.findall(r"⟦(\w+)⟧", text)]
