"""Every key of a valid TOML text has its line, however it is written."""

from __future__ import annotations

import tomllib

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shipper.config.lines import Location, find_lines, nearest_line

keys = st.sampled_from(["a", "b-c", '"quoted key"', "'it # is'", "d.e", 'f . "g.h"', "1", '"\\u00e9\\""'])
scalars = st.sampled_from(
    [
        "1",
        "-1.5e3",
        "true",
        "1979-05-27 07:32:00",
        '""',
        '"a # b"',
        '"\\"]}"',
        "'C:\\'",
        '"""one\n[two]\n\\""" x = 1 """"',
        "'''\nfour\n'''''",
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[ # why\n" + ", # and\n".join(items) + "\n]"),
        st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]"),
        st.dictionaries(keys, inner, max_size=3).map(
            lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"
        ),
    ),
    max_leaves=5,
)
statements = st.one_of(
    st.tuples(keys, values).map(lambda pair: f"{pair[0]} = {pair[1]} # end"),
    keys.map(lambda key: f"[ {key} ] # table"),
    keys.map(lambda key: f"  [[{key}]]"),
    st.sampled_from(["", "# [comment]", "\t"]),
)


def locations(value: object, around: Location = ()) -> list[Location]:
    if isinstance(value, dict):
        return [found for key, part in value.items() for found in [(*around, key), *locations(part, (*around, key))]]
    if isinstance(value, list):
        return [found for i, part in enumerate(value) for found in [(*around, i), *locations(part, (*around, i))]]
    return []


@settings(max_examples=400, deadline=None)
@given(st.lists(statements, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_every_location_of_a_valid_text_has_a_line(lines: list[str], newline: str) -> None:
    text = "\n".join(lines).replace("\n", newline)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    found = find_lines(text)
    assert set(found) == set(locations(data))
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


def test_lines_are_those_of_the_keys() -> None:
    text = 'a = """\nx = 1\n"""\n[b.c]\nd = [\n  1,\n  { e = 2 },\n]\n[[f]]\ng = 1\n[[f]]\ng = 2\n[f.h]\ni = 3\n'
    lines = find_lines(text)
    assert lines == {
        ("a",): 1,
        ("b",): 4,
        ("b", "c"): 4,
        ("b", "c", "d"): 5,
        ("b", "c", "d", 0): 6,
        ("b", "c", "d", 1): 7,
        ("b", "c", "d", 1, "e"): 7,
        ("f",): 9,
        ("f", 0): 9,
        ("f", 0, "g"): 10,
        ("f", 1): 11,
        ("f", 1, "g"): 12,
        ("f", 1, "h"): 13,
        ("f", 1, "h", "i"): 14,
    }
    assert nearest_line(lines, ("f", 1, "missing")) == 11
    assert nearest_line(lines, ("missing",)) == 1
