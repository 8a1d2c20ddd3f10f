"""Many contents are looked through in processes side by side: in order, all of them, also when a process ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipper.check.hygiene.contents import check_contents
from shipper.check.hygiene.found import Found
from shipper.check.hygiene.side_by_side import Question, look_ahead
from shipper.check.secrets import check_tree

FILES = 60
FILLING = "def answer(question: str) -> str:\n    return question.strip().lower()\n\n\n" * 1400
SECRET = 'DB_PASSWORD = "{}"\n'


def file_with_a_secret(number: int) -> str:
    return FILLING + SECRET.format(f"Tr4in-station-{number:03}-Platform") + FILLING


def where_it_is(path: str, data: bytes, *, shaped_only: bool = False) -> list[Found]:
    return [Found(f"{path}:{len(data)}:{shaped_only}:{os.getpid()}", "error", 1, "", "", "")]


def fails_on_the_tenth(path: str, data: bytes, *, shaped_only: bool = False) -> list[Found]:
    if path == "10":
        raise ValueError(path)
    return where_it_is(path, data)


def ends_its_process(path: str, data: bytes, *, shaped_only: bool = False) -> list[Found]:
    os._exit(9)


def question_of(number: int) -> tuple[int, Question | None]:
    data = bytes(200_000 + number)
    return len(data), None if number == 20 else (str(number), data, False)


def test_a_large_tree_is_looked_through_whole_and_told_in_its_order(tmp_path: Path) -> None:
    for number in range(FILES):
        (tmp_path / f"module{number:03}.py").write_text(file_with_a_secret(number), encoding="utf-8")
    report = check_tree(tmp_path)
    assert report.files == FILES
    assert [finding.path for finding in report.findings] == [f"module{number:03}.py" for number in range(FILES)]
    [alone] = check_contents("module000.py", file_with_a_secret(0).encode())
    assert {(finding.rule, finding.line) for finding in report.findings} == {(alone.rule, alone.line)}


def test_what_is_much_goes_to_other_processes_and_comes_back_in_order() -> None:
    answers = list(look_ahead(range(FILES), question_of, where_it_is))
    assert [number for number, _ in answers] == list(range(FILES))
    assert [number for number, found in answers if found is None] == [20], "nothing was asked about it"
    rules = [found[0].rule.rsplit(":", 1) for _, found in answers if found]
    assert [rule for rule, _ in rules] == [f"{n}:{200_000 + n}:False" for n in range(FILES) if n != 20]
    assert str(os.getpid()) not in {process for _, process in rules}


def test_what_is_little_stays_here() -> None:
    assert list(look_ahead(range(10), question_of, ends_its_process)) == [(number, None) for number in range(10)]


@pytest.mark.parametrize(
    ("rule", "open_again"), [(fails_on_the_tenth, [10, 20]), (ends_its_process, list(range(FILES)))]
)
def test_what_could_not_be_looked_at_is_asked_again(rule: object, open_again: list[int]) -> None:
    answers = list(look_ahead(range(FILES), question_of, rule))  # type: ignore[arg-type]
    assert [number for number, found in answers if found is None] == open_again
