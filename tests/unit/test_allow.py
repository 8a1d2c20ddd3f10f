"""Findings that may stay: entries of ship.toml and comments, and what becomes of them when their time is over."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from shipper.check.adopt import adopt, adopt_into, find_file
from shipper.check.allow import Entry, entries_of, find_unused, inline_allowances, leave_out_allowed
from shipper.config.check import Allow
from shipper.config.load import load_project, parse_project
from shipper.errors import ConfigError
from shipper.findings import Finding

TODAY = datetime.date(2026, 11, 21)
HEAD = 'name = "shop"\nfrontend = { preset = "static" }\n'
COMMIT = "1a2b3c4d5e" * 4


def finding(path: str = "src/a.py", rule: str = "secret.password", line: int | None = 3, commit: str = "") -> Finding:
    return Finding(rule, "error", "a password of 12 characters", path=path, line=line, commit=commit)


def entries(text: str) -> tuple[Entry, ...]:
    whole = HEAD + text
    return entries_of(parse_project(whole, "ship.toml").check.allow, whole)


def entry(keys: str) -> tuple[Entry, ...]:
    return entries(f'[[check.allow]]\n{keys}\nreason = "a test account"\n')


def settle(
    findings: list[Finding], known: tuple[Entry, ...] = (), text: str = "", under: str = ""
) -> tuple[list[Finding], list[Finding]]:
    return leave_out_allowed(findings, known, lambda _: inline_allowances(text), TODAY, under=under)


# --- entries of ship.toml ---


@pytest.mark.parametrize(
    ("keys", "covered"),
    [
        ('path = "src/a.py"', True),
        ('path = "src/*.py"', True),
        ('path = "*.py"', False),
        ('path = "**/*.py"', True),
        ('path = "**/a.py"', True),
        ('path = "src/**"', True),
        ('path = "**"', True),
        ('path = "src"', False),
        ('path = "src/a.p?"', True),
        ('path = "SRC/a.py"', False),
        ('path = "src/a.py"\nrule = "secret.password"', True),
        ('path = "src/a.py"\nrule = "secret.*"', True),
        ('path = "src/a.py"\nrule = "secret"', False),
        ('path = "src/a.py"\nrule = "name.*"', False),
        (f'path = "src/a.py"\ncommit = "{COMMIT[:7]}"', False),
        ('path = "src/a.py"\nuntil = 2026-11-21', True),
    ],
)
def test_an_entry_covers_what_its_rule_and_path_mean(keys: str, covered: bool) -> None:
    kept, extra = settle([finding()], entry(keys))
    assert (kept == []) == covered
    assert extra == []


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("**/x", "x"),
        ("a/**/x", "a/x"),
        ("a/**/x", "a/b/c/x"),
        ("app/[id]/page.tsx", "app/[id]/page.tsx"),
        ("app/**/[id]/*", "app/shop/[id]/page.tsx"),
        ("문서/*.md", "문서/안내.md"),
        ("a+b(c)/$x.^", "a+b(c)/$x.^"),
        ("a/*", "a/new\nline"),
    ],
)
def test_odd_paths_are_covered_by_their_globs(glob: str, path: str) -> None:
    assert Allow(path=glob, reason="odd").covers(finding(path))


@pytest.mark.parametrize("commit", [COMMIT, COMMIT[:7]])
def test_a_commit_covers_what_was_found_in_it_with_or_without_a_file(commit: str) -> None:
    known = entry(f'commit = "{commit}"')
    findings = [finding(commit=COMMIT), finding("", "message.password", None, COMMIT)]
    assert settle(findings, known) == ([], [])
    other = finding(commit="f" * 40)
    assert settle([other], known) == ([other], [])


def test_entries_mean_files_below_the_folder_of_ship_toml(tmp_path: Path) -> None:
    findings = [finding("shop/src/a.py"), finding("src/a.py")]
    assert settle(findings, entry('path = "src/*"'), under="shop") == ([findings[1]], [])


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('path = "x"\nreason = "ok"', "at least 3|a reason"),
        ('path = "x"', "reason  is missing"),
        ('reason = "everything"', "'path' or 'commit'"),
        ('path = "x"\nreason = "why"\nuntil = "2026-12-31"', "a date without quotes"),
        ('path = "x"\nreason = "why"\nuntil = 2026-12-31T10:00:00', "a date without quotes"),
        ('path = "x"\nreason = "why"\nline = 3', "not a known key"),
        ('path = "x"\nreason = "why"\nrule = "Secret!"', "a rule's id"),
        ('commit = "HEAD"\nreason = "why"', "a commit's id"),
        ('path = 2026-12-31\nreason = "why"', "text in quotes, found a date or time"),
    ],
)
def test_an_entry_that_cannot_be_right_is_named_with_its_line(keys: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        entries(f"[[check.allow]]\n{keys}\n")
    assert any(word in caught.value.why for word in words.split("|")), caught.value.why
    assert "ship.toml:" in caught.value.why


def test_a_date_is_still_no_value_for_any_other_key() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_project('name = 2026-12-31\n[frontend]\npreset = "static"\ncommand = 2026-12-31\n', "ship.toml")
    assert caught.value.why.count("\n") == 1


def test_an_expired_entry_covers_nothing_and_is_an_error_itself() -> None:
    known = entry('path = "src/a.py"\nuntil = 2026-11-20')
    kept, (expired,) = settle([finding()], known)
    assert kept == [finding()]
    assert (expired.rule, expired.severity, expired.path, expired.line) == ("allow.expired", "error", "ship.toml", 3)
    assert "2026-11-20" in expired.message
    assert "a test account" in expired.why
    assert settle([], known)[1] == [expired]


def test_an_entry_that_matches_nothing_in_the_tree_is_a_warning_on_its_line() -> None:
    known = entries(
        '[[check.allow]]\npath = "src/a.py"\nreason = "used"\n'
        '[[check.allow]]\npath = "gone.py"\nreason = "unused"\n'
        f'[[check.allow]]\npath = "old.py"\ncommit = "{COMMIT}"\nreason = "only the history can tell"\n'
        '[[check.allow]]\npath = "late.py"\nuntil = 2020-01-01\nreason = "expired is enough"\n'
    )
    (unused,) = find_unused([finding()], known, TODAY)
    assert (unused.rule, unused.severity, unused.line) == ("allow.unused", "warning", 6)
    assert "gone.py" in unused.message


# --- comments ---


@pytest.mark.parametrize(
    "comment",
    [
        "# shipper: allow - demo account",
        "// shipper: allow - demo account",
        "/* shipper: allow - demo account */",
        "<!-- shipper: allow - demo account -->",
        "-- shipper: allow - demo account",
        "; shipper: allow - demo account",
        "% shipper: allow - demo account",
        "REM shipper: allow - demo account",
        "{# shipper: allow - demo account #}",
        "{{!-- shipper: allow - demo account --}}",
        "{/* shipper: allow - demo account */}",
        "(* shipper: allow - demo account *)",
        "--[[ shipper: allow - demo account ]]",
        '""" shipper: allow - demo account """',
        "' shipper: allow - demo account",
        "#shipper:allow: demo account",
        "# shipper: allow – demo account",
        "# shipper: allow (demo account)",
    ],
)
def test_a_comment_in_any_syntax_allows_its_own_line_or_alone_the_line_below(comment: str) -> None:
    behind = f"first\nvalue = 1  {comment}\nthird\n"
    above = f"first\n    {comment}\r\nthird\r\n"
    assert inline_allowances(behind) == {2: "demo account"}
    assert inline_allowances(above) == {3: "demo account"}


def test_a_comment_behind_a_line_does_not_allow_the_line_below() -> None:
    text = "a = 1  # shipper: allow - demo account\nb = 2\n"
    assert settle([finding(line=1), finding(line=2)], text=text) == ([finding(line=2)], [])


def test_a_reason_may_be_korean_and_keeps_its_punctuation() -> None:
    assert inline_allowances("x = 1 # shipper: allow - 공개 데모 계정 (a-b, c)") == {1: "공개 데모 계정 (a-b, c)"}


@pytest.mark.parametrize(
    "comment", ["# shipper: allow", "/* shipper: allow */", "# shipper: allow - x", "# shipper: allow -"]
)
def test_a_comment_without_a_reason_does_not_count_and_is_an_error_itself(comment: str) -> None:
    kept, (extra,) = settle([finding(line=1)], text=f"x = 1 {comment}")
    assert kept == [finding(line=1)]
    assert (extra.rule, extra.severity, extra.path, extra.line) == ("allow.no-reason", "error", "src/a.py", 1)


@pytest.mark.parametrize("text", ["shipper: allowed - x", "myshipper: allow - because", "shipper allow - because", ""])
def test_other_words_allow_nothing(text: str) -> None:
    assert inline_allowances(text) == {}


def test_a_finding_about_a_whole_file_is_not_allowed_by_a_comment_in_it() -> None:
    whole = finding(".env", "name.env", line=None)
    assert settle([whole], text="# shipper: allow - because") == ([whole], [])


# --- adopting what is found today ---


def test_adopted_findings_are_covered_and_everything_written_before_stays(tmp_path: Path) -> None:
    file = tmp_path / "ship.toml"
    before = "# our shop\n" + HEAD + '\n[nginx]   # odd   layout\nrate   =  "off"\n'
    file.write_text(before, encoding="utf-8")
    findings = [
        finding(),
        finding(line=9),
        finding('odd "name"\\[id].py'),
        finding(commit=COMMIT),
        finding("", "message.password", None, COMMIT),
        finding("ship.toml", "allow.expired"),
    ]
    assert adopt_into(file, findings, TODAY) == 4
    after = file.read_text(encoding="utf-8")
    assert after.startswith(before)
    assert after.count("[[check.allow]]  # to be looked at\n") == 4
    assert 'reason = "adopted on 2026-11-21, to be looked at"' in after
    known = entries_of(load_project(file).check.allow, after)
    assert settle(findings, known)[0] == [findings[-1]]
    assert find_unused(findings, known, TODAY) == []


def test_the_adopted_text_is_what_is_written(tmp_path: Path) -> None:
    file = tmp_path / "ship.toml"
    file.write_text(HEAD)
    adopt_into(file, [finding()], TODAY)
    assert file.read_text() == HEAD + adopt([finding()], TODAY)


@pytest.mark.parametrize(
    "check",
    [
        "",
        "[check]\n",
        '[[check.allow]]\npath = "x"\nreason = "an old one"  # why\n[nginx]\nrate = "off"\n',
        '[check]\nallow = [\n  { path = "x", reason = "an old one" }, # why\n]\n[nginx]\nrate = "off"\n',
        'check = { allow = [{ path = "x", reason = "an old one" }] }\n',
        'check.allow = [{ path = "x", reason = "an old one" }]\n',
        "check = {}\n",
        "[nginx]\n# no newline at the end",
    ],
    ids=["nothing", "table", "tables", "list", "inline", "dotted", "empty", "no newline"],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_every_way_to_write_the_table_takes_more_entries(tmp_path: Path, check: str, ending: str) -> None:
    file = tmp_path / "ship.toml"
    file.write_bytes((HEAD + check).replace("\n", ending).encode())
    comments = (HEAD + check).count("#")
    old = len(load_project(file).check.allow)
    assert adopt_into(file, [finding(), finding("b.py")], TODAY) == 2
    project = load_project(file)
    assert [allow.path for allow in project.check.allow][old:] == ["b.py", "src/a.py"]
    text = file.read_bytes().decode()
    assert text.count("# to be looked at") == 2
    assert text.count("#") == comments + 2
    assert ("\r" in text) == (ending == "\r\n")


def test_nothing_found_is_nothing_written(tmp_path: Path) -> None:
    file = tmp_path / "ship.toml"
    file.write_text(HEAD)
    assert adopt_into(file, [], TODAY) == 0
    assert file.read_text() == HEAD


def test_without_a_ship_toml_the_way_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "ship.toml").write_text(HEAD)
    repository = tmp_path / "other"
    (repository / ".git").mkdir(parents=True)
    assert find_file(tmp_path) == (tmp_path / "ship.toml").resolve()
    with pytest.raises(ConfigError, match="no place for what is to be adopted") as caught:
        find_file(repository)
    assert "shipper: allow - " in caught.value.fix
