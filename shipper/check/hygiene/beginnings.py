"""Looks at the beginning of a file for what its name promises: a key, a login, a database, a dump."""

from __future__ import annotations

import re
from collections.abc import Callable

from shipper.check.hygiene.names import LOOKED_AT_BYTES
from shipper.check.hygiene.source import read_source

# So many rows are no longer a few to begin with.
_MANY_INSERTS = 300
# Whatever else is called .key: a Keynote presentation is a zip file; a licence or a public key says so.
_KEYNOTE = b"PK\x03\x04"
_PEM_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{3,40})-----")
_PRIVATE = re.compile(rb"-{3,6} ?BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY|PuTTY-User-Key-File|AGE-SECRET-KEY-1")
# RFC 5208 and 8017: SEQUENCE, then INTEGER 0 or 1, then an algorithm or a modulus.
_PRIVATE_DER = re.compile(rb"0(?:\x82..|\x81.|[\x20-\x7f])\x02\x01[\x00\x01](?:0|\x02\x82|\x02\x81|\x04)", re.DOTALL)
# RFC 4880, 4.3: tag 5 is a secret key.
_PGP_SECRET = re.compile(rb"[\x94-\x97\xc5]")
_DATABASES = (
    b"SQLite format 3\0",
    b"\0\1\0\0Standard Jet DB",
    b"\0\1\0\0Standard ACE DB",
    b"REDIS0",
    b"\x37\x7f\x06\x82",
    b"\x37\x7f\x06\x83",
    b"SQLite WAL",
    b"H:2,block:",
)
_CORE = b"\x7fELF"
_TRAFFIC = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a")
_DUMP_HEAD = re.compile(
    rb"PostgreSQL database (?:cluster )?dump|-- MySQL dump|-- MariaDB dump|-- phpMyAdmin SQL Dump|-- Dump completed|"
    rb"-- Adminer |HeidiSQL|Navicat|mysqldump|-- Dumped (?:by|from)|-- Dumping data|PRAGMA foreign_keys ?= "
    rb"?OFF;\s{1,4}BEGIN TRANSACTION|"
    rb"-- Export(?:ed)? |DBeaver|TablePlus",
    re.IGNORECASE,
)
_COPY = re.compile(rb"^COPY [^\n;]{1,400} FROM stdin", re.IGNORECASE | re.MULTILINE)
_INSERT = re.compile(rb"^\s{0,8}(?:INSERT|REPLACE) INTO", re.IGNORECASE | re.MULTILINE)
_HASHES = re.compile(rb"^[^:\s#]{1,64}:(?:\$|\{|[A-Za-z0-9./]{13}(?::|\s|$)|[^:\n]{1,80}:[0-9a-f]{32})", re.MULTILINE)
_KUBERNETES = re.compile(
    rb"(?:client-key-data|client-certificate-data|token|password|id-token|refresh-token):[ "
    rb"]{1,4}[\"']?[A-Za-z0-9+/=._-]{6,}"
)
_NETSCAPE = re.compile(
    rb"# (?:Netscape )?HTTP Cookie File|^[^\t\n]{3,100}\t(?:TRUE|FALSE)\t/[^\t\n]{0,200}\t(?:TRUE|FALSE)\t\d",
    re.MULTILINE,
)
_LOGIN = re.compile(
    r"""(?:_authtoken|_auth|_password|authtoken|npmauthtoken|auth|identitytoken|password|passwd|pass|"""
    r"""cleartextpassword|secret|token|oauth_token|passphrase|identity|privatekey)["']?"""
    r"""(?:\s{0,4}(?:[:=]|=>)\s{0,4}|\s{1,4})["']?(?P<value>[^\s"'<>,;]{3,})|<pass(?:word)?(?: """
    r"""[^<>]{0,40})?>(?P<element>[^<]{3,})<|"""
    r"""(?:cleartextpassword|password)"\s{1,4}value="(?P<attribute>[^"]{3,})"|://[^\s/@:]{0,80}:(?P<url>[^\s/@]{3,})@"""
)
_PGPASS = re.compile(r"^(?!#)(?:[^:\n]{1,80}:){4}[^:\n]{3,}$", re.MULTILINE)
_NO_LOGIN = re.compile(
    r"^[$%<{*]|^\.{3}$|^x{3,}$|your|placeholder|example|^(?:true|false|null|none|yes|no|prompt|ask)$|^//"
)
_SET = re.compile(rb"^\s{0,8}(?:export )?([A-Za-z_][A-Za-z0-9_]{0,80})[ \t]{0,4}=[^\n]{0,2000}$", re.MULTILINE)
# What the build tools put into the site: Next.js, Vite, Create React App, Nuxt, Astro and SvelteKit, Gatsby, Expo.
_PUBLIC = (b"NEXT_PUBLIC_", b"VITE_", b"REACT_APP_", b"NUXT_PUBLIC_", b"PUBLIC_", b"GATSBY_", b"EXPO_PUBLIC_")
_EMPTY_STORE = frozenset([b"{}", b"[]"])


def private_key(path: str, beginning: bytes) -> bool:
    """Tell a private key in PEM, DER, PuTTY's or OpenPGP's format."""
    if _PRIVATE.search(beginning):
        return True
    if path.endswith((".gpg", ".pgp")):
        return bool(_PGP_SECRET.match(beginning))
    return bool(_PRIVATE_DER.match(beginning))


def private_key_or_unknown(path: str, beginning: bytes) -> bool:
    """Tell a private key, or what is called one and shows nothing public: a certificate, a public key, a text."""
    if private_key(path, beginning):
        return True
    if not beginning.strip() or beginning.startswith(_KEYNOTE) or _PEM_LABEL.search(beginning):
        return False
    return not beginning.startswith((b"ssh-", b"ecdsa-", b"-----BEGIN", b"---- BEGIN SSH2 PUBLIC", b"#", b"//", b"<"))


def more_than_public(_path: str, beginning: bytes) -> bool:
    """Tell an env file from one that sets nothing but what every visitor can read in the built site anyway.

    Next.js and Vite read such a `.env.production` from the repository; the values themselves are looked at as well.
    """
    if len(beginning) >= LOOKED_AT_BYTES:
        return True
    names = _SET.findall(beginning)
    others = [
        line for line in _SET.sub(b"", beginning).splitlines() if line.strip() and not line.lstrip().startswith(b"#")
    ]
    return bool(others) or not names or not all(name.startswith(_PUBLIC) for name in names)


def not_empty(_path: str, beginning: bytes) -> bool:
    """Tell a file with anything in it."""
    return beginning.strip() not in _EMPTY_STORE and bool(beginning.strip())


def vpn_access(_path: str, beginning: bytes) -> bool:
    """Tell a profile of OpenVPN with a key or a login in it; one that names files only is fine."""
    return bool(
        _PRIVATE.search(beginning) or any(mark in beginning for mark in (b"<key>", b"Static key", b"<auth-user-pass>"))
    )


def aws_keys(_path: str, beginning: bytes) -> bool:
    """Tell the table that the AWS console gives out with a key or a user."""
    lower = _text("x.csv", beginning).lower()
    return "access key" in lower or "akia" in lower or ("password" in lower and "console" in lower)


def service_account(_path: str, beginning: bytes) -> bool:
    """Tell the key of a Google service account by its content, whatever its name."""
    return b'"service_account"' in beginning and b'"private_key"' in beginning and b"PRIVATE KEY" in beginning


def kubernetes_access(_path: str, beginning: bytes) -> bool:
    """Tell a kubeconfig with a certificate, token or password in it."""
    return bool(_KUBERNETES.search(beginning))


def login_inside(path: str, beginning: bytes) -> bool:
    """Tell a file with a token or a password in it; one that names a variable only is fine."""
    text = _text(path, beginning)
    name = path.rpartition("/")[2]
    if "pgpass" in name:
        return bool(_PGPASS.search(text))
    for found in _LOGIN.finditer(text.lower()):
        value = next(group for group in found.groups() if group is not None)
        if not _NO_LOGIN.search(value):
            return True
    return False


def password_hashes(_path: str, beginning: bytes) -> bool:
    """Tell lines of users and hashes, as htpasswd(1) and shadow(5) have them."""
    return bool(_HASHES.search(beginning))


def cookies(_path: str, beginning: bytes) -> bool:
    """Tell the cookies of curl, of a browser's database or of an export."""
    if beginning.startswith((b"SQLite format 3\0", b"cook")) or _NETSCAPE.search(beginning):
        return True
    return beginning.lstrip().startswith((b"[", b"{")) and b'"domain"' in beginning and b'"value"' in beginning


def traffic(path: str, beginning: bytes) -> bool:
    """Tell a recording of packets or of requests."""
    if path.endswith(".har"):
        return (b'"log"' in beginning and b'"entries"' in beginning) or not beginning
    return beginning.startswith(_TRAFFIC) or path.endswith((".pcap", ".pcapng", ".saz"))


def core_dump(_path: str, beginning: bytes) -> bool:
    """Tell a core dump (elf(5): e_type 4) or a minidump of Windows."""
    if beginning.startswith((b"MDMP", b"PAGEDU64", b"PAGEDUMP")):
        return True
    return beginning.startswith(_CORE) and len(beginning) > 17 and 4 in (beginning[16], beginning[17])


def database(_path: str, beginning: bytes) -> bool:
    """Tell a database by its first bytes."""
    return (
        beginning.startswith(_DATABASES)
        or beginning[4:16].startswith((b"Standard Jet", b"Standard ACE"))
        or (beginning[8:12] == b"DUCK")
    )


def binary_or_unknown(_path: str, beginning: bytes) -> bool:
    """Tell anything that is no text: a file called a database that somebody wrote by hand is something else."""
    return database(_path, beginning) or (bool(beginning) and (b"\0" in beginning[:4096] or not _is_text(beginning)))


def database_dump(path: str, beginning: bytes) -> bool:
    """Tell a dump with rows in it from SQL that people write: a schema, a migration, a few rows to begin with."""
    if beginning.startswith((b"PGDMP", b"TAPE", b"MSSQLBAK")):
        return True
    if path.endswith((".txt", ".old", ".bak", ".backup")) and not _DUMP_HEAD.search(beginning[:4096]):
        return False
    if _COPY.search(beginning):
        return True
    inserts = sum(1 for _ in _INSERT.finditer(beginning))
    if _DUMP_HEAD.search(beginning):
        # A file that is longer than what was read has its rows further down.
        return inserts > 0 or len(beginning) >= LOOKED_AT_BYTES
    return inserts >= _MANY_INSERTS


def _is_text(beginning: bytes) -> bool:
    return not read_source("x", beginning[:4096]).binary


def _text(path: str, beginning: bytes) -> str:
    return read_source(path, beginning).text


CHECKS: dict[str, Callable[[str, bytes], bool]] = {
    check.__name__: check
    for check in (
        private_key,
        private_key_or_unknown,
        more_than_public,
        not_empty,
        vpn_access,
        aws_keys,
        service_account,
        kubernetes_access,
        login_inside,
        password_hashes,
        cookies,
        traffic,
        core_dump,
        database,
        binary_or_unknown,
        database_dump,
    )
}
