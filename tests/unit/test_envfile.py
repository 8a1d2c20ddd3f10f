"""Env files: what people write is read, what is written reads back the same, and no value is ever shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.config.backend import Backend
from shipper.config.envfile import EnvFile, check_env, mask, parse_env, render_env
from shipper.errors import ConfigError

BACKEND = Backend(app="config.asgi:application", required_env=("SECRET_KEY", "DATABASE_URL"))
STRONG = "u8Vq2mZr7Lw0Xc5Ty1Nb9Kd4Hs6Pf3Ga_"
DATABASE = f"postgres://shop:{STRONG}@db/shop"


def values_of(content: str | bytes) -> dict[str, str]:
    return dict(parse_env(content, ".env").values)


def rules_of(content: str | bytes) -> list[str]:
    return [finding.rule for finding in parse_env(content, ".env").findings]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=v", "v"),
        ("export K=v", "v"),
        ("  K = v  ", "v"),
        ("K=", ""),
        ("K=a b  c", "a b  c"),
        ("K=a=b==", "a=b=="),
        ("K=pa#ss$word", "pa#ss$word"),
        ("K=#first", "#first"),
        ("K=value # a comment", "value"),
        ("K= # a comment", ""),
        ("K=\\n stays", "\\n stays"),
        ('K=say "hi"', 'say "hi"'),
        ("K='a \"b\" \\n ${C} # d'", 'a "b" \\n ${C} # d'),
        ("K=\"a 'b' # c\" # a comment", "a 'b' # c"),
        (r'K="\"\\\$\`\n\t\z"', '"\\$`\n\t\\z'),
        ('K="-----BEGIN KEY-----\nMIIB\n-----END KEY-----\n"', "-----BEGIN KEY-----\nMIIB\n-----END KEY-----\n"),
        ("K='line 1\nline 2'", "line 1\nline 2"),
        ("K=${OTHER}/x", "${OTHER}/x"),
        ("K=비밀", "비밀"),
    ],
)
def test_what_people_write_is_read(line: str, value: str) -> None:
    assert values_of(f"# before\n\n{line}\nAFTER=1\n") == {"K": value, "AFTER": "1"}


def test_file_saved_on_windows_has_the_same_values_and_a_note() -> None:
    text = "A=1\nB=\"two\nlines\"\nC='x'\n"
    assert values_of(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()) == values_of(text)
    assert rules_of(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()) == [
        "env.byte-order-mark",
        "env.windows-line-ends",
    ]


def test_single_line_with_a_carriage_return_is_cleaned_and_named() -> None:
    env = parse_env('A=1\nB=2\r\nC="3"\r\n', ".env")
    assert dict(env.values) == {"A": "1", "B": "2", "C": "3"}
    assert [(finding.rule, finding.line) for finding in env.findings] == [("env.carriage-return", 2)]


def test_last_of_a_repeated_name_counts_and_is_named() -> None:
    env = parse_env("A=1\nB=2\nA=3\n", ".env")
    assert list(env.values.items()) == [("B", "2"), ("A", "3")]
    (finding,) = env.findings
    assert (finding.rule, finding.where) == ("env.duplicate", ".env:3")
    assert "line 1" in finding.message


@pytest.mark.parametrize("line", ["K=${OTHER}", 'K="a${OTHER}b"', "K=$OTHER"])
def test_reference_to_another_variable_is_noted(line: str) -> None:
    assert rules_of(line) == ["env.interpolation"]


@pytest.mark.parametrize("line", ["K='${OTHER}'", r'K="\${OTHER}"', "K=5$", "K=value"])
def test_dollar_that_is_no_reference_is_not_noted(line: str) -> None:
    assert rules_of(line) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hunter2", "expected NAME=value"),
        ("PASSWORD: hunter2", "not NAME: value"),
        ("my-password=hunter2", "letters, digits"),
        ("1A=hunter2", "letters, digits"),
        ('A="hunter2', "never closed"),
        ("A='hunter2", "never closed"),
        ('A="hunter2"hunter2', "after the closing"),
        ("A='hunter2's", "after the closing"),
        ("A=hunter2\uffff", "systemd"),
    ],
)
def test_bad_line_is_named_by_its_number_and_never_shown(line: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_env(f"OK=1\n\n{line}\n", ".env.production")
    assert ".env.production:3" in str(caught.value)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("A=1\n".encode("utf-16"), "UTF-16"),
        ("A=1\nB=비밀\n".encode("cp949"), r"\.env:2"),
        (b"A=1\nB=\0\n", r"\.env:2 .*NUL"),
    ],
)
def test_file_that_is_no_utf_8_is_refused_in_clear_words(content: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_env(content, ".env")


def test_values_are_hidden_from_repr_and_mask() -> None:
    env = parse_env("A=hunter2\n", ".env")
    assert "hunter2" not in repr(env)
    assert mask("hunter2") == mask("another, longer one")
    assert mask("") == "(empty)"


def is_text_of_systemd(value: str) -> bool:
    return not any(0xFDD0 <= ord(letter) <= 0xFDEF or ord(letter) & 0xFFFE == 0xFFFE for letter in value)


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
awkward = st.text(st.sampled_from("\"'\\`$#= \t\r\nnrtA{}\ufeff한;"), max_size=12)
anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
values = st.one_of(awkward, anything.filter(is_text_of_systemd))


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(names, values, max_size=5))
def test_what_is_rendered_reads_back_the_same(wanted: dict[str, str]) -> None:
    env = EnvFile(".env", wanted)
    again = parse_env(render_env(env), ".env")
    assert again == env
    assert list(again.values) == list(wanted)
    assert {rule.rule for rule in again.findings} <= {"env.interpolation"}


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(names, values, max_size=5))
def test_what_is_rendered_means_the_same_to_systemd(wanted: dict[str, str]) -> None:
    assert read_like_systemd(render_env(EnvFile(".env", wanted))) == wanted


def read_like_systemd(text: str) -> dict[str, str]:
    """Read the double-quoted form by the words of systemd.exec(5) alone: `"`, `\\`, `` ` `` and `$` may be escaped."""
    form = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\`$]|\\["\\`$])*)"\n')
    assert form.sub("", text) == ""
    return {name: re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL) for name, value in form.findall(text)}


def verdicts(text: str) -> list[tuple[str, str]]:
    base = f"SECRET_KEY={STRONG}\nDATABASE_URL={DATABASE}\n"
    findings = check_env(parse_env(base + text, ".env.production"), BACKEND)
    for finding in findings:
        assert not any(word in str(finding) for word in text.split("=", 1)[-1].split() if len(word) > 5)
    return [(finding.rule, finding.severity) for finding in findings]


def test_good_values_have_no_findings() -> None:
    settings_about_secrets = "TOKEN_EXPIRE_MINUTES=30\nPASSWORD_MIN_LENGTH=8\nALLOWED_HOSTS=app.example.com\nEMPTY=\n"
    assert verdicts(settings_about_secrets) == []


def test_missing_and_empty_required_variables_are_errors() -> None:
    findings = check_env(parse_env("SECRET_KEY=\n", ".env.production"), BACKEND)
    assert [(finding.rule, finding.severity, finding.where) for finding in findings] == [
        ("env.missing", "error", ".env.production"),
        ("env.empty", "error", ".env.production:1"),
    ]
    assert "DATABASE_URL" in findings[0].message


@pytest.mark.parametrize(
    "value",
    [
        "your-secure-password-here",
        "강력한-비밀번호-입력",
        "여기에_비밀번호",
        "changeme",
        "CHANGE_ME_PLEASE",
        "<your password>",
        "replace-with-a-long-random-string",
        "xxxxxxxx",
    ],
)
def test_placeholder_blocks_where_a_secret_belongs(value: str) -> None:
    assert verdicts(f"DB_PASSWORD={value}") == [("env.placeholder", "error")]
    assert verdicts(f"REDIS_URL=redis://app:{value}@cache/0") == [("env.placeholder", "error")]
    assert verdicts(f"TITLE={value}") == [("env.placeholder", "note")]


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=12345678",
        "POSTGRES_PASSWORD=postgres",
        "ADMIN_PASSWORD=P@ssw0rd",
        "API_KEY=abc",
        "JWT_SECRET=short-but-mixed-1",
        "DJANGO_SECRET_KEY=django-insecure-0a9s8d7f6g5h4j3k2l1z0x9c8v7b6n5m4",
        "CACHE_URL=redis://:@cache/0",
    ],
)
def test_weak_secret_is_a_warning(line: str) -> None:
    assert verdicts(line) == [("env.weak-secret", "warning")]


def test_carriage_return_inside_quotes_is_an_error() -> None:
    assert verdicts(f'API_TOKEN="{STRONG}\r"\n') == [("env.carriage-return", "error")]
