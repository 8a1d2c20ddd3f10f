"""What .gitignore should cover, covers too much, or covers in vain: real repositories, and git's own answers."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipper.check.ignore_fix import fix_ignores
from shipper.check.ignores import check_ignores
from shipper.errors import ConfigError
from shipper.findings import Finding

# Covers everything that the table wants of any project.
GOOD = """\
.env
.env.*
!.env.example
*.pem
*.key
id_rsa*
id_ed25519*
*.sqlite3
*.dump
*.sql.gz
*.bak
backups/
*.log
.DS_Store
__pycache__/
.venv/
node_modules/
.next/
/out/
/dist/
.shipper/
"""


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    (folder / "git").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return folder


def repository(tmp_path: Path, files: Mapping[str, str], *, untracked: Mapping[str, str] | None = None) -> Path:
    top = tmp_path / "앱 one"
    top.mkdir()
    git(top, "init", "-q")
    write(top, files)
    if files:
        git(top, "add", "--force", "--", *files)
    write(top, untracked or {})
    return top


def write(top: Path, files: Mapping[str, str]) -> None:
    for path, content in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(content.encode())


def holes(top: Path) -> dict[str, Finding]:
    """The findings about holes, by the line that is missing."""
    return {f.fix.rpartition(": ")[2]: f for f in check_ignores(top) if f.rule == "ignore.hole"}


def of_rule(top: Path, rule: str) -> list[Finding]:
    return [finding for finding in check_ignores(top) if finding.rule == rule]


# --- holes ---


def test_nothing_is_said_about_a_project_whose_gitignore_is_good(tmp_path: Path) -> None:
    files = {".gitignore": GOOD, "package.json": "{}", "next.config.mjs": "", "manage.py": "", "src/a.ts": ""}
    assert check_ignores(repository(tmp_path, files)) == []


ALWAYS = {".env", ".env.*", "*.pem", "*.key", "id_rsa*", "id_ed25519*", "*.log", ".DS_Store"}
DATA = {"*.dump", "*.sql.gz", "*.bak", "backups/"}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param(["README.md"], set(), id="no project"),
        pytest.param(["package.json"], {"node_modules/"}, id="node"),
        pytest.param(["package.json", "next.config.ts"], {"node_modules/", ".next/", "/out/"}, id="next"),
        pytest.param(["package.json", "vite.config.js"], {"node_modules/", "/dist/"}, id="vite"),
        pytest.param(["pyproject.toml"], {"__pycache__/", ".venv/", "*.sqlite3"} | DATA, id="python"),
        pytest.param(["manage.py"], {"__pycache__/", ".venv/", "*.sqlite3"} | DATA, id="django"),
        pytest.param(["docker-compose.prod.yml"], DATA, id="compose"),
        pytest.param(["main.tf"], {".terraform/", "*.tfstate", "*.tfstate.*"}, id="terraform"),
        pytest.param(["pom.xml"], {"/target/"}, id="maven"),
        pytest.param(["build.gradle.kts"], {"/build/", ".gradle/"}, id="gradle"),
        pytest.param(["ship.toml"], {".shipper/"} | DATA, id="shipper"),
    ],
)
def test_each_kind_of_project_has_the_holes_that_apply_to_it(
    tmp_path: Path, files: list[str], wanted: set[str]
) -> None:
    assert set(holes(repository(tmp_path, dict.fromkeys(files, "")))) == ALWAYS | wanted


def test_a_hole_of_a_secret_that_is_there_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    top = repository(tmp_path, {"backend/manage.py": ""}, untracked={"backend/.env": "A=1", "backend/db.sqlite3": ""})
    found = holes(top)
    assert found[".env"].severity == "error"
    assert "backend/.env would be taken" in found[".env"].message
    assert found["*.sqlite3"].severity == "error"
    assert found["*.pem"].severity == "warning"
    assert found["*.log"].severity == "note"
    assert {finding.path for finding in found.values()} == {".gitignore"}


def test_each_project_of_a_monorepo_is_asked_about(tmp_path: Path) -> None:
    files = {
        ".gitignore": GOOD.replace("/dist/\n", "").replace("node_modules/", "/node_modules/"),
        "web/package.json": "",
        "web/vite.config.ts": "",
        "admin/package.json": "",
        "admin/.gitignore": "node_modules\n",
    }
    found = holes(repository(tmp_path, files))
    assert set(found) == {"node_modules/", "/web/dist/"}
    assert "in web" in found["node_modules/"].message
    assert "admin" not in found["node_modules/"].message


@pytest.mark.parametrize("where", ["info/exclude", "core.excludesFile", "~/.config/git/ignore"])
def test_what_only_one_developer_ignores_does_not_count_and_is_said(tmp_path: Path, home: Path, where: str) -> None:
    top = repository(tmp_path, {"package.json": "{}"})
    own = {
        "info/exclude": top / ".git" / "info" / "exclude",
        "core.excludesFile": tmp_path / ".gitignore",
        "~/.config/git/ignore": home / "git" / "ignore",
    }[where]
    own.parent.mkdir(exist_ok=True)
    own.write_text("node_modules/\n.env\n")
    if where == "core.excludesFile":
        git(top, "config", "--global", "core.excludesFile", str(own))
    (top / ".env").write_text("A=1")
    found = holes(top)
    assert "node_modules/" in found
    assert found[".env"].severity == "error"
    assert "nobody else has them" in found[".env"].why


def test_a_folder_that_ignores_itself_here_is_still_a_hole_for_others(tmp_path: Path) -> None:
    """uv and Python 3.13 put a .gitignore into .venv; `python3.12 -m venv` does not."""
    top = repository(tmp_path, {"pyproject.toml": ""}, untracked={".venv/.gitignore": "*\n", ".venv/pyvenv.cfg": ""})
    assert ".venv/" in holes(top)


def test_an_untracked_gitignore_counts_because_it_will_be_added(tmp_path: Path) -> None:
    assert holes(repository(tmp_path, {"package.json": "{}"}, untracked={".gitignore": GOOD})) == {}


def test_a_negation_below_makes_a_hole_again(tmp_path: Path) -> None:
    top = repository(tmp_path, {".gitignore": GOOD + "!.env\n"})
    assert set(holes(top)) == {".env"}


def test_what_a_project_tracks_on_purpose_is_no_hole(tmp_path: Path) -> None:
    files = {
        ".gitignore": GOOD.replace(".env.*", ".env*.local").replace("/dist/\n", ""),
        "vite.config.js": "",
        ".env.production": "VITE_TITLE=x\n",
        "dist/index.js": "",
    }
    assert holes(repository(tmp_path, files)) == {}


def test_a_link_or_a_submodule_in_the_way_does_not_stop_the_answers(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q")
    git(library, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x")
    top = repository(tmp_path, {"package.json": "{}", "vite.config.js": ""})
    git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "dist")
    (tmp_path / "elsewhere").mkdir()
    (top / "node_modules").symlink_to(tmp_path / "elsewhere")
    assert "node_modules/" in holes(top)


def test_a_gitignore_that_powershell_wrote_is_told_to_be_unreadable(tmp_path: Path) -> None:
    top = repository(tmp_path, {"package.json": "{}"})
    (top / ".gitignore").write_bytes("node_modules/\r\n".encode("utf-16"))
    (finding,) = of_rule(top, "ignore.unreadable")
    assert finding.severity == "error"
    assert "UTF-16" in finding.message
    assert "node_modules/" in holes(top)
    with pytest.raises(ConfigError, match="UTF-16"):
        fix_ignores(top)


# --- lines that are too wide ---


def test_a_line_that_swallows_existing_sources_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    files = {".gitignore": GOOD, "web/.gitignore": "# python's template\nlib/\n", "web/src/main.ts": ""}
    lost = {"web/src/lib/client.ts": "", "web/src/lib/deep/more.ts": ""}
    top = repository(tmp_path, files, untracked=lost)
    (finding,) = of_rule(top, "ignore.too-wide")
    assert (finding.path, finding.line, finding.severity) == ("web/.gitignore", 2, "warning")
    assert "lib/" in finding.message
    assert "web/src/lib/client.ts" in finding.message
    assert "!src/lib/" in finding.fix


def test_following_the_advice_makes_the_sources_visible(tmp_path: Path) -> None:
    top = repository(
        tmp_path,
        {".gitignore": GOOD + "data/\n", "shop/__init__.py": "", "pyproject.toml": ""},
        untracked={"shop/data/items.py": ""},
    )
    (finding,) = of_rule(top, "ignore.too-wide")
    with (top / ".gitignore").open("a") as stream:
        stream.write(finding.fix.rpartition(": ")[2] + "\n")
    assert of_rule(top, "ignore.too-wide") == []
    assert "shop/data/items.py" in git(top, "status", "--porcelain", "-uall")


def test_sources_that_are_tracked_by_force_show_the_line_as_well(tmp_path: Path) -> None:
    top = repository(tmp_path, {".gitignore": GOOD + "build\n", "shop/build/steps.py": "", "shop/__init__.py": ""})
    (finding,) = of_rule(top, "ignore.too-wide")
    assert (finding.line, finding.severity) == (GOOD.count("\n") + 1, "warning")
    assert "shop/build/steps.py" in finding.message
    assert of_rule(top, "ignore.tracked") == []


@pytest.mark.parametrize(
    ("line", "files", "example"),
    [
        (".env.*", [], ".env.example"),
        ("lib/", ["package.json", "src/main.ts"], "src/lib/client.ts"),
        ("data/", ["pyproject.toml", "shop/__init__.py"], "shop/data/items.py"),
        ("build", ["package.json", "src/main.ts"], "src/build/steps.ts"),
        ("**/migrations/*.py", ["manage.py", "shop/__init__.py"], "shop/migrations/0001_initial.py"),
    ],
    ids=["env", "lib", "data", "build", "migrations"],
)
def test_a_line_that_would_swallow_what_most_projects_have_is_a_note(
    tmp_path: Path, line: str, files: list[str], example: str
) -> None:
    rules = GOOD.replace("!.env.example\n", "") if line == ".env.*" else GOOD + line + "\n"
    top = repository(tmp_path, {".gitignore": rules, **dict.fromkeys(files, "")})
    (finding,) = of_rule(top, "ignore.too-wide")
    assert finding.severity == "note"
    assert finding.line == rules.splitlines().index(line) + 1
    assert example in finding.message


@pytest.mark.parametrize(
    ("line", "ignored"),
    [
        ("/lib/", "lib/x.ts"),
        ("src/generated/", "src/generated/api.ts"),
        ("staticfiles/", "backend/staticfiles/admin.js"),
        ("/build/", "build/index.html"),
        ("coverage/", "src/coverage/index.html"),
    ],
)
def test_a_line_that_means_one_folder_or_what_a_program_wrote_is_fine(tmp_path: Path, line: str, ignored: str) -> None:
    files = {".gitignore": GOOD + line + "\n", "package.json": "", "src/main.ts": "", "backend/main.py": ""}
    assert of_rule(repository(tmp_path, files, untracked={ignored: ""}), "ignore.too-wide") == []


def test_an_example_of_an_environment_that_is_swallowed_is_found_in_any_folder(tmp_path: Path) -> None:
    files = {".gitignore": GOOD, "backend/.gitignore": ".env*\n"}
    (finding,) = of_rule(repository(tmp_path, files, untracked={"backend/.env.sample": ""}), "ignore.too-wide")
    assert (finding.path, finding.line) == ("backend/.gitignore", 1)
    assert finding.fix == "Add this line below it: !.env.sample"


# --- tracked all the same ---


def test_tracked_files_that_are_ignored_are_listed_by_the_line_that_ignores_them(tmp_path: Path) -> None:
    files = {".gitignore": GOOD, "a.log": "", "b c.log": "", ".env.production": "", "한글.log": ""}
    found = {finding.line: finding for finding in of_rule(repository(tmp_path, files), "ignore.tracked")}
    assert set(found) == {GOOD.splitlines().index(".env.*") + 1, GOOD.splitlines().index("*.log") + 1}
    logs = found[GOOD.splitlines().index("*.log") + 1]
    assert "(and 2 more)" in logs.message
    assert logs.fix.startswith('git rm -r --cached -- a.log "b c.log" 한글.log')


# --- the fix ---


@pytest.mark.parametrize(
    ("before", "added_after"),
    [
        (b"", b""),
        (b"# ours\n/x\n", b"\n"),
        (b"# ours\r\n/x\r\n", b"\r\n"),
        (b"# ours\r\n/x", b"\r\n\r\n"),
        (b"/x", b"\n\n"),
        (b"\xef\xbb\xbf# ours\n", b"\n"),
    ],
    ids=["none", "lf", "crlf", "crlf without an end", "lf without an end", "byte order mark"],
)
def test_the_fix_adds_lines_at_the_end_and_changes_no_other_byte(
    tmp_path: Path, before: bytes, added_after: bytes
) -> None:
    top = repository(tmp_path, {"package.json": "{}", "vite.config.ts": "", "manage.py": ""})
    if before:
        (top / ".gitignore").write_bytes(before)
    added = fix_ignores(top)
    after = (top / ".gitignore").read_bytes()
    assert after.startswith(before + added_after + b"# added by shipper")
    block = after.removeprefix(before)
    assert block.count(b"\n") == block.count(b"\r\n") or b"\r" not in block
    assert (b"\r\n" in block) == (b"\r\n" in before)
    assert {"node_modules/", ".env", "!.env.example", "/dist/"} <= set(added)
    assert "/.env*.local" not in added
    assert [f for f in check_ignores(top) if f.rule in ("ignore.hole", "ignore.too-wide")] == []
    assert fix_ignores(top) == ()
    assert (top / ".gitignore").read_bytes() == after


def test_the_fix_does_not_reach_what_is_tracked_elsewhere(tmp_path: Path) -> None:
    files = {
        ".gitignore": GOOD.replace(".env.*\n", ".env*.local\n").replace("/dist/\n", ""),
        "web [new]/vite.config.ts": "",
        "action/package.json": "",
        "action/dist/index.js": "",
        "action/.env.production": "A=1",
        "api/manage.py": "",
    }
    top = repository(tmp_path, files)
    added = fix_ignores(top)
    assert "/web \\[new]/dist/" in added
    assert "/api/.env.*" in added
    assert of_rule(top, "ignore.tracked") == []
    assert holes(top) == {}


def test_outside_of_a_repository_it_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        check_ignores(tmp_path)
