"""The secret check does work in proportion to a file's size, whatever is in it, and survives any bytes.

Work is counted (characters handed to the patterns of rules), not timed: a machine may be slow, arithmetic is not.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from secret_positives import POSITIVES
from secret_samples import fill

from shipper.check.hygiene.contents import check_contents, scan
from shipper.check.hygiene.labels import LATIN_STEMS, OTHER_STEMS
from shipper.check.hygiene.names import check_name
from shipper.check.hygiene.rules import load_rules
from shipper.check.hygiene.source import read_source

# The longest look ahead (a signed token, 3,900 characters) at every shortest start (four) is the worst there can be.
MOST_LOOKS = 1000
PATHS = ("a.env", "a.py", "a.md", "a.yml", "a.json", "a.csv", "a.html", "Dockerfile")


def starts() -> list[str]:
    rules = load_rules()
    near = {
        text for gated in (rules.places, rules.lines) for shapes in gated.values() for s in shapes for text in s.near
    }
    return sorted(near | set(rules.tokens) | set(LATIN_STEMS) | set(OTHER_STEMS))


# What a careless pattern would read again and again.
NASTY = [
    *[
        '"',
        "'",
        "`",
        "=",
        ":",
        "A",
        "\\",
        " ",
        "|",
        "<",
        ">",
        "(",
        "[",
        "{",
        "\n",
        "\t",
        "\r\n",
        "-",
        "_",
        ".",
        "/",
        "%20",
    ],
    *["password=", "password: ", "password(", "password is ", "password\n", "password,", "'password', ", "password:\n"],
    *["```\n", "password\n```\n", "비밀번호\n\n```\nabc12345\n", "콘솔 계정: a / ", "console https://", "AWS 계정\n\n"],
    *["insert into a (password) values ", "insert into a (password) values ('", "(password, ", "values ('a', "],
    *[
        "비밀번호는 ",
        "비밀번호: ",
        "secret ",
        "api key: ",
        "${password:-",
        "<password>",
        "<td>password</td>",
        "=password",
    ],
    *[
        "://",
        "://a:b",
        "://:@",
        "x@",
        "a/",
        "://a:b@c",
        "PRIVATE KEY",
        "-----BEGIN " + "PRIVATE KEY-----",
        "|--\n",
        "|---",
    ],
    *["<tr", "<tr><td", "<th>pw</th>", "kind: Secret\ndata:\n a: b\n", "data:\n", " data:\n", "---\nkind: Secret\n"],
    *["basic ", "bearer ", "eyJ-", "eyJa.", "mysql -p", "curl -u ", "echo a | passwd\n", "- name: password\n  value: "],
    *["|pw|\n|--|\n", "| pw | pw |\n|:-|:-|\n| a | b |\n", "\\n", '\\"', '"kty"', '"d":', "AKIA", "sk-", "-eyJ" * 3],
    *['variable "password" {\n', "password:\n  type: x\n", "echo ", "password\t", "키", "ESCAPE\\", "\0", "\u0130"],
]


def looks(path: str, text: str) -> tuple[int, int]:
    source = read_source(path, text.encode())
    scan(source)
    return source.spent, len(source.text)


@pytest.mark.parametrize("path", PATHS)
def test_no_text_repeated_makes_more_work_than_its_length_allows(path: str) -> None:
    for unit in [*starts(), *NASTY]:
        spent, length = looks(path, unit * (3000 // len(unit) + 1))
        assert spent <= MOST_LOOKS * (length + 1), unit


@pytest.mark.parametrize("unit", NASTY)
def test_twice_the_text_is_at_most_twice_the_work(unit: str) -> None:
    for path in ("a.md", "a.yml"):
        once, _ = looks(path, unit * (8000 // len(unit)))
        twice, _ = looks(path, unit * (16000 // len(unit)))
        # A little more than twice, since fewer looks are cut short by the end of the text; squares would be four times.
        assert twice <= 2.5 * once + 60_000


@given(st.lists(st.sampled_from([*starts(), *NASTY]), min_size=1, max_size=12), st.sampled_from(PATHS))
def test_no_mixture_makes_more_work_than_its_length_allows(parts: list[str], path: str) -> None:
    text = "".join(parts) * 20
    spent, length = looks(path, text)
    assert spent <= MOST_LOOKS * (length + 1) + 10_000


@given(st.binary(max_size=2000), st.sampled_from([*PATHS, "a.bin", "package-lock.json", "tests/a.py"]))
def test_any_bytes_are_survived(data: bytes, path: str) -> None:
    for finding in check_contents(path, data):
        assert finding.message
    check_name(path, len(data), lambda: data)


@given(st.text(max_size=400), st.sampled_from(POSITIVES))
def test_a_secret_between_any_texts_is_survived_and_never_shown(noise: str, case: tuple[str, str]) -> None:
    path, text = case
    value = "zq7Rk" + "W2mXv9"
    for finding in check_contents(
        path, f"{noise}\nDB_PASSWORD='{value}'\n{noise}{fill(text)}".encode("utf-8", "replace")
    ):
        assert value[:3] not in finding.message + finding.why + finding.fix


@given(st.text(alphabet=st.characters(exclude_characters="\0/"), min_size=1, max_size=40), st.binary(max_size=200))
def test_any_name_is_survived(name: str, beginning: bytes) -> None:
    check_name(name, len(beginning), lambda: beginning)
    check_name(f"a/{name}/b", len(beginning), lambda: beginning)
