"""`shipper check`, typed in real repositories: what it finds, what it prints, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prepared import run_shipper

# Put together here, so that this file holds none.
TOKEN = "_".join(["ghp", "16C7e42F292c6912E7710c838347Ae178B4a"])
LINE = f'token = "{TOKEN}"\n'
SHIP_TOML = 'name = "shop"\n[frontend]\npreset = "static"\n'


class Project:
    """A repository in a folder, with one clean commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("README.md", "# shop\n")
        self.commit("begin")

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=Kim", "-c", "user.email=kim@example.com")
        alone = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *who, *words], cwd=self.root, env=alone, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        self.git("add", "--all")

    def commit(self, message: str) -> str:
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def check(self, *words: str, given: str = "", folder: str = ".") -> tuple[int, str]:
        done = run_shipper(["check", *words], self.root / folder, os.environ, given=given)
        assert TOKEN not in done.stdout, "a value is never shown"
        return done.returncode, done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")


def test_a_clean_repository_is_said_to_be_clean(project: Project) -> None:
    for words in ((), ("--tree",), ("--staged",), ("--history",), ("--range", "HEAD")):
        code, output = project.check(*words)
        assert (code, "nothing found" in output) == (0, True), output


def test_a_staged_secret_is_named_with_its_place_and_the_way_out(project: Project) -> None:
    project.write("app/settings.py", f"DEBUG = False\n{LINE}")
    code, output = project.check("--staged")
    assert code == 3, output
    assert "app/settings.py" in output
    assert "    2 error" in output
    assert "git restore --staged -- app/settings.py" in output
    assert project.check("--staged", folder="app")[0] == 3


def test_every_commit_of_a_push_is_looked_at_as_git_gives_it_to_the_hook(project: Project) -> None:
    before = project.git("rev-parse", "HEAD")
    project.write("deploy.sh", LINE)
    guilty = project.commit("deploy")
    project.git("rm", "--quiet", "deploy.sh")
    last = project.commit("clean up")
    given = f"refs/heads/main {last} refs/heads/main {before}\n"
    code, output = project.check("--push", "origin", "https://example.com/shop.git", given=given)
    assert code == 3, output
    assert guilty[:12] in output
    assert project.check("--push", "origin", "https://example.com/shop.git", given="")[0] == 0
    code, output = project.check("--push", "origin", "x", given="nonsense\n")
    assert code == 1, output
    assert "not what git gives its hook" in output


def test_an_empty_range_says_that_no_commit_was_checked(project: Project) -> None:
    code, output = project.check("--range", "HEAD..HEAD")
    assert code == 0, output
    assert "0 commits checked" in output


def test_json_is_one_object_also_for_a_failure(project: Project) -> None:
    project.write("app.py", LINE)
    code, output = project.check("--tree", "--json")
    told = json.loads(output)
    assert (code, told["ok"], told["exit_code"], told["schema"]) == (3, False, 3, 1)
    finding = told["findings"][0]
    assert {"rule", "severity", "path", "line", "commit", "message", "fix"} <= set(finding)
    assert (finding["path"], finding["line"], finding["severity"]) == ("app.py", 1, "error")
    code, output = project.check("--range", "nowhere..HEAD", "--json")
    told = json.loads(output)
    assert (code, told["ok"], told["exit_code"], told["findings"]) == (2, False, 2, [])
    assert "nowhere" in told["error"]["what"] + told["error"]["why"]


def test_findings_become_annotations_and_a_sarif_file(project: Project) -> None:
    project.write("app.py", LINE)
    code, output = project.check("--tree", "--github", "--sarif", "found.sarif")
    assert code == 3
    assert output.startswith("::error file=app.py,line=1,")
    sarif = json.loads((project.root / "found.sarif").read_text())
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "app.py"
    code, output = project.check("--tree", "--sarif", "no/such/folder/found.sarif")
    assert (code, "cannot be written" in output) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--staged", "--tree"), "are two checks"),
        (("--fix",), "--fix mends .gitignore"),
        (("--range", "nowhere..HEAD"), "nowhere"),
        (("--nonsense",), "--nonsense"),
        (("--tree", "--adopt"), "There is no ship.toml"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(project: Project, words: tuple[str, ...], told: str) -> None:
    code, output = project.check(*words)
    assert code == 2, output
    assert told in output


def test_it_needs_neither_a_ship_toml_nor_a_repository_for_a_tree(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(LINE, encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "shipper", "check"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "notes.md" in done.stdout) == (3, True), done.stdout + done.stderr
    argv = [sys.executable, "-m", "shipper", "check", "--staged"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "git init" in done.stdout + done.stderr) == (2, True)


def test_without_git_what_is_found_is_adopted_into_the_ship_toml_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "ship.toml").write_text(SHIP_TOML, encoding="utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.py").write_text(LINE, encoding="utf-8")

    def check(*words: str, folder: Path = tmp_path) -> tuple[int, str]:
        argv = [sys.executable, "-m", "shipper", "check", *words]
        done = subprocess.run(
            argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False
        )
        return done.returncode, done.stdout

    code, output = check("--adopt", folder=tmp_path / "inner")
    assert code == 2
    assert f"cd {tmp_path.resolve()}" in output
    assert check("--adopt")[0] == 0
    assert check()[0] == 0
    (tmp_path / "new.py").write_text(LINE, encoding="utf-8")
    code, output = check()
    assert code == 3
    assert "new.py" in output
    assert "a.py" not in output.replace("new.py", "")


def test_what_is_adopted_may_stay_and_what_is_new_is_told(project: Project) -> None:
    project.write("ship.toml", SHIP_TOML)
    project.write("old.py", LINE)
    code, output = project.check("--adopt")
    assert code == 0, output
    assert "1 entry of [[check.allow]] written" in output
    assert project.check()[0] == 0
    project.write("new.py", LINE)
    code, output = project.check()
    assert (code, "new.py" in output, "old.py" in output) == (3, True, False), output
    project.git("rm", "--quiet", "--force", "old.py", "new.py")
    code, output = project.check()
    assert (code, "covers nothing any more" in output) == (0, True), output


def test_a_comment_with_a_reason_allows_its_line_and_one_without_does_not(project: Project) -> None:
    project.write("app.py", LINE.rstrip() + "  # shipper: allow - a token of the tests\n")
    assert project.check("--staged")[0] == 0
    project.write("app.py", "# shipper: allow\n" + LINE)
    code, output = project.check("--staged")
    assert code == 3, output
    assert "does not say why" in output


def test_an_allowance_that_ran_out_is_an_error_in_every_scope(project: Project) -> None:
    entry = '\n[[check.allow]]\npath = "app.py"\nreason = "rotated soon"\nuntil = 2024-01-31\n'
    project.write("web/ship.toml", SHIP_TOML + entry)
    project.write("web/app.py", LINE)
    code, output = project.check("--staged")
    assert code == 3, output
    assert "ended on 2024-01-31" in output
    assert "web/ship.toml" in output
    assert "web/app.py" in output


def test_holes_of_gitignore_are_named_and_mended(project: Project) -> None:
    project.write("package.json", '{"name": "shop"}\n')
    code, output = project.check("--ignores")
    assert (code, "node_modules" in output) == (0, True), output
    code, output = project.check("--ignores", "--fix")
    assert (code, "Added to .gitignore" in output) == (0, True), output
    assert "nothing found" in project.check("--ignores")[1]


def test_what_a_comment_allows_in_one_place_is_not_allowed_in_another(project: Project) -> None:
    line = 'password: "Vk!9dh' + 'Tq2LmZ"\n'
    project.write("c.yml", f"a:\n  # shipper: allow - local database of the tests\n  {line}prod:\n  {line}")
    code, output = project.check("--staged")
    assert code == 3, output
    assert "    5 error" in output


def test_a_range_that_is_empty_is_no_other_check(project: Project) -> None:
    project.write("app.py", LINE)
    project.commit("app")
    code, output = project.check("--range", "")
    assert code == 2, output


def test_a_ship_toml_that_cannot_be_read_is_named_also_as_json(project: Project) -> None:
    (project.root / "ship.toml").write_bytes(b'name = "x" # \xba\xf1\xb9\xd0 allow\n')
    code, output = project.check("--staged", "--json")
    assert (code, json.loads(output)["ok"]) == (2, False)
    assert "ship.toml" in output


def test_in_a_job_of_github_what_was_found_stands_in_its_summary(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    project.write("app.py", LINE)
    assert project.check("--staged")[0] == 3
    text = summary.read_text(encoding="utf-8").replace("\\", "")
    assert "app.py" in text
    assert TOKEN not in text
