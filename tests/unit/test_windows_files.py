"""What people on Windows have: CRLF, byte order marks, drive letters, backslashes, names in any case.

`test_windows.py` runs this module a second time where Python's own modules look as they do on Windows.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from shipper.build.context import context_files
from shipper.build.requirements import read_requirements
from shipper.check.hygiene.names import check_name
from shipper.check.ignores import check_ignores
from shipper.config.load import load_project, parse_project
from shipper.config.project import Project
from shipper.deliver.manifest import read_tree
from shipper.errors import BuildError, ConfigError
from shipper.hashes import FileHashes

REPOSITORY = Path(__file__).parents[2]
MARK = b"\xef\xbb\xbf"
SHIP_TOML = 'name = "shop"\n\n[frontend]\npreset = "static"\npath = {path}\n'
# docs: learn.microsoft.com, "Naming Files, Paths, and Namespaces".
RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?")
IMPOSSIBLE = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$')


def windows(text: str) -> bytes:
    return MARK + text.replace("\n", "\r\n").encode()


def project_with(path: str) -> Project:
    return parse_project(SHIP_TOML.format(path=path), "ship.toml")


def test_a_ship_toml_of_notepad_means_the_same(tmp_path: Path) -> None:
    text = SHIP_TOML.format(path="'web'")
    (tmp_path / "ship.toml").write_bytes(windows(text))
    assert load_project(tmp_path / "ship.toml") == parse_project(text, "ship.toml")


@pytest.mark.parametrize(
    ("path", "meant"),
    [(r"'web\shop'", "web/shop"), (r"'.\web'", "web"), (r"'web\'", "web"), (r'"web\\shop"', "web/shop")],
    ids=["backslash", "from-here", "at-the-end", "escaped"],
)
def test_backslashes_in_a_folder_of_ship_toml_are_understood(path: str, meant: str) -> None:
    frontend = project_with(path).frontend
    assert frontend is not None
    assert frontend.path == meant


@pytest.mark.parametrize(
    "path",
    [r"'C:\shop\web'", "'C:/shop/web'", "'c:web'", r"'\\server\share\web'", r"'\web'", r"'..\web'", r"'web\..\..\x'"],
    ids=["drive", "drive-and-slash", "drive-alone", "share", "root", "above", "above-later"],
)
def test_a_folder_outside_of_the_project_is_refused_with_its_line_and_an_example(path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        project_with(path)
    assert refused.value.why == "ship.toml:5  frontend.path  expected a folder inside the project, such as 'frontend'"


def test_a_backslash_in_double_quotes_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(ConfigError, match="use / or put the text in 'single quotes'"):
        project_with('"C:\\Users\\me\\web"')


def test_an_ignore_file_with_crlf_leaves_the_same_files_out_of_an_image(tmp_path: Path) -> None:
    for name in ("app.py", "notes.txt", ".env", "build/x.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_bytes(b"FROM scratch\r\n")
    (tmp_path / ".dockerignore").write_bytes(windows("# ours\n.env\n*.txt\nbuild/\n"))
    assert [path for path in context_files(tmp_path, dockerfile) if path != "."] == [
        ".dockerignore",
        "Dockerfile",
        "app.py",
    ]


def test_an_ignore_file_of_powershell_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM scratch\n")
    (tmp_path / ".dockerignore").write_bytes(".env\r\n".encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-16"):
        context_files(tmp_path, tmp_path / "Dockerfile")


def test_a_gitignore_with_crlf_covers_what_it_names(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "package.json").write_bytes(b"{}")
    (tmp_path / ".gitignore").write_bytes(b"node_modules/\r\n")
    missing = [finding.message.partition(" ")[0] for finding in check_ignores(tmp_path)]
    assert missing
    assert not any("node_modules" in line for line in missing)


def test_requirements_with_crlf_and_included_files_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_bytes(windows("django==5.2\n"))
    (tmp_path / "requirements.txt").write_bytes(windows("-r base.txt\n\n# more\nuvicorn==0.34 # server\n"))
    requirements = read_requirements(tmp_path, None)
    assert requirements is not None
    assert [name for name, _ in requirements.texts] == ["requirements.txt", "base.txt"]
    assert requirements.unpinned == ()


def test_a_wheel_on_a_drive_is_refused_because_the_server_has_no_drives(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(windows("C:\\wheels\\shop-1.0-py3-none-any.whl\n"))
    with pytest.raises(BuildError, match="a path on this machine"):
        read_requirements(tmp_path, None)


def test_paths_of_a_manifest_have_slashes(tmp_path: Path) -> None:
    file = tmp_path / "한글 folder" / "inner" / "a.js"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"1")
    tree = read_tree(tmp_path, FileHashes({}))
    assert [entry.path for entry in tree.entries] == ["한글 folder/inner/a.js"]


@pytest.mark.parametrize("name", [".ENV", "Backend/.Env.Production", "ID_RSA", "Terraform.TFState"])
def test_a_secret_file_is_known_in_any_case(name: str) -> None:
    found = check_name(name, 10, lambda: b"")
    assert found is not None
    assert check_name(name.lower(), 10, lambda: b"") == found


def test_this_repository_can_be_checked_out_on_windows() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True).stdout
    paths = set(listed.decode().split("\0")[:-1])  # with a conflict that is being settled, a file is listed thrice
    parts = {part for path in paths for part in path.split("/")}
    assert [part for part in parts if RESERVED.fullmatch(part) or IMPOSSIBLE.search(part)] == []
    assert len({path.lower() for path in paths}) == len(paths)
    assert max(map(len, paths)) < 180  # the whole path may have 259 characters
