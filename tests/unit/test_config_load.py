"""Reading ship.toml: finding it, every mistake with its line, and the choice of a target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipper.config.explain import EXPECTED, tables
from shipper.config.load import choose_target, find_workspace, load_project, parse_project
from shipper.config.project import Workspace
from shipper.config.target import Target
from shipper.errors import ConfigError

SHOP = """\
name = "shop"

[frontend]
preset = "next"

[targets.production]
host = "shop.example.com"
"""


def mistakes_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_project(text, "ship.toml")
    assert caught.value.exit_code == 2
    return caught.value.why.splitlines()


def workspace_of(text: str) -> Workspace:
    return Workspace(root=Path("/shop"), project=parse_project(text, "ship.toml"))


def test_workspace_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "ship.toml").write_text(SHOP)
    below = tmp_path / "frontend" / "src"
    below.mkdir(parents=True)
    workspace = find_workspace(below)
    assert workspace.root == tmp_path.resolve()
    assert workspace.project.name == "shop"


def test_search_ends_at_the_git_root_and_shows_a_ship_toml_that_works(tmp_path: Path) -> None:
    (tmp_path / "ship.toml").write_text(SHOP)
    repository = tmp_path / "other"
    (repository / ".git").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"There is no ship\.toml") as caught:
        find_workspace(repository)
    example = caught.value.fix.split("\n\n", 1)[1]
    assert len(example.splitlines()) <= 8
    assert parse_project(example, "ship.toml").frontend is not None


def test_lists_of_the_file_become_tuples() -> None:
    project = parse_project('name = "a"\n[backend]\ncommand = ["python", "serve.py", "{socket}"]\n', "ship.toml")
    assert project.backend is not None
    assert project.backend.command == ("python", "serve.py", "{socket}")


@pytest.mark.parametrize(
    "line",
    [
        'command = ["gunicorn", "main:app", "--bind", "unix:{socket}"]',
        'app = "main:app"\nmigrate = ["bin/gunicorn"]',
        'app = "main:app"\nstatic.command = ["gunicorn"]',
    ],
)
def test_a_command_that_systemd_would_not_find_is_refused_with_the_way_that_works(line: str) -> None:
    (mistake,) = mistakes_of(f'name = "a"\n[backend]\n{line}\n')
    assert "begins with 'python'" in mistake
    assert "['python', '-m', 'gunicorn', ...]" in mistake


def test_all_mistakes_are_named_at_once_sorted_by_line() -> None:
    text = """\
name = "Shop"
[frontend]
preset = "nxt"
comand = ["npm"]
command = "npm run build"
[[frontend.allow]]
url = "http://localhost:3000"
reason = "an example"
[[frontend.allow]]
url = "http://localhost:4000"
[nginx]
rate = "fast"
read_timeout = "60"
websockets = ["/ws/", "/live"]
[targets.production]
keep = 1
"""
    assert mistakes_of(text) == [
        f"ship.toml:1  name  expected {EXPECTED['name']}",
        "ship.toml:3  frontend.preset  expected 'next', 'vite', 'cra', 'astro', 'command' or 'static', found 'nxt' "
        "(did you mean 'next'?)",
        "ship.toml:4  frontend.comand  is not a known key; did you mean 'command'?",
        "ship.toml:5  frontend.command  expected a list of texts, such as ['npm', 'run', 'build'], "
        "found text in quotes",
        f"ship.toml:9  frontend.allow[1].reason  is missing; expected {EXPECTED['frontend.allow.reason']}",
        "ship.toml:12  nginx.rate  expected a rate such as '30r/s' or '100r/m', or 'off'",
        "ship.toml:13  nginx.read_timeout  expected a whole number without quotes, found text in quotes",
        "ship.toml:14  nginx.websockets[1]  expected a path prefix with a slash at both ends, such as '/api/'",
        f"ship.toml:15  targets.production.host  is missing; expected {EXPECTED['targets.*.host']}",
        "ship.toml:16  targets.production.keep  expected a number that is at least 2, found 1",
    ]


def test_key_under_the_wrong_table_is_sent_home() -> None:
    text = SHOP + 'memory = "1g"\ndefault_target = "production"\n'
    assert mistakes_of(text) == [
        "ship.toml:8  targets.production.memory  is not a known key; a key of this name belongs in [backend]",
        "ship.toml:9  targets.production.default_target  is not a known key; "
        "a key of this name belongs at the top of the file, above the first [table]",
    ]


def test_lines_are_right_with_every_way_to_write_a_key() -> None:
    text = '''\
name = """
sh"op
""" # [frontend]
"frontend".preset = 'nope'
frontend.variables = { A = "{[,", B = 2 }
backend = { path = "api", app = "a:b",
  memory = "lots", prefixes = [
    "/a/", # "]"
    "b",
  ] }
[targets."production"]
host = "x"
port = 0
'''
    lines = [
        entry.split("  ")[:2] for entry in mistakes_of(text.replace("\n  memory", " memory").replace("= [\n", "= ["))
    ]
    assert lines == [
        ["ship.toml:1", "name"],
        ["ship.toml:4", "frontend.preset"],
        ["ship.toml:5", "frontend.variables.B"],
        ["ship.toml:6", "backend.memory"],
        ["ship.toml:7", "backend.prefixes[1]"],
        ["ship.toml:11", "targets.production.port"],
    ]


def test_value_of_an_unknown_key_is_never_repeated() -> None:
    text = SHOP + 'password = "hunter2-hunter2"\nport = "hunter2-hunter2"\nuser = "hunter2 hunter2"\n'
    assert "hunter2" not in "\n".join(mistakes_of(text))


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("name = shop\n", "ship.toml:1:8", "expected a value"),
        ('name = "a"\n[frontend\n', "ship.toml:2:10", "expected ']'"),
        ('name = "a"\nkey = "C:\\Users\\me"\n', "ship.toml:2:12", "single quotes"),
        ('name = "a"\nname = "b"\n', "ship.toml:2:11", "twice"),
        ('name = "a\n', "ship.toml:1:10", "never closed"),
        ("command = [1, 2\n", "ship.toml:1:16", "never closed"),
        ("build command = 1\n", "ship.toml:1:7", "'='"),
    ],
)
def test_syntax_error_shows_the_place_and_what_was_expected(text: str, place: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_project(text, "ship.toml")
    assert caught.value.what.startswith(place)
    assert hint in caught.value.what
    shown, caret = caught.value.why.splitlines()
    assert shown.strip() in text
    assert caret.index("^") == int(place.rsplit(":", 1)[1]) + 1


def test_file_saved_on_windows_is_read_and_its_lines_are_counted_right(tmp_path: Path) -> None:
    file = tmp_path / "ship.toml"
    file.write_bytes(b"\xef\xbb\xbf" + SHOP.replace("\n", "\r\n").encode())
    assert load_project(file).name == "shop"
    file.write_bytes(b"\xef\xbb\xbf" + (SHOP + "keep = 0\n").replace("\n", "\r\n").encode())
    with pytest.raises(ConfigError) as caught:
        load_project(file)
    assert "ship.toml:8  targets.production.keep" in caught.value.why


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SHOP.encode("utf-16"), "UTF-16"),
        ('# 가게\nname = "shop"\n'.encode("cp949"), "ship.toml:1  this line is not UTF-8"),
    ],
)
def test_other_encodings_are_refused_in_clear_words(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "ship.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_project(file)


def test_every_key_with_a_pattern_says_what_it_expects_in_words() -> None:
    with_pattern = {
        f"{table}.{key}".removeprefix(".")
        for table, model in tables().items()
        for key, schema in model.model_json_schema()["properties"].items()
        if '"pattern"' in json.dumps(schema) or '"propertyNames"' in json.dumps(schema) or "patternProperties" in schema
    }
    assert "nginx.rate" in with_pattern
    assert "targets.*.host_key" in with_pattern
    assert with_pattern - set(EXPECTED) == set()


def test_expectations_name_only_keys_that_exist() -> None:
    keys = {f"{table}.{key}".removeprefix(".") for table, model in tables().items() for key in model.model_fields}
    assert set(EXPECTED) - keys == set()


SANDBOX = Target(host="127.0.0.1", port=2222)
TWO = SHOP + '\n[targets.staging]\nhost = "staging.example.com"\n'


def test_target_named_goes_before_the_default() -> None:
    workspace = workspace_of('default_target = "staging"\n' + TWO)
    assert choose_target(workspace, "production", None)[0] == "production"
    assert choose_target(workspace, None, None)[0] == "staging"


def test_only_target_needs_no_name() -> None:
    name, target = choose_target(workspace_of(SHOP), None, SANDBOX)
    assert (name, target.host) == ("production", "shop.example.com")


def test_several_targets_and_no_name_are_listed() -> None:
    with pytest.raises(ConfigError, match="production, staging"):
        choose_target(workspace_of(TWO), None, SANDBOX)


def test_sandbox_is_the_target_of_a_project_without_targets() -> None:
    workspace = workspace_of('name = "shop"\n[frontend]\npreset = "vite"\n')
    assert choose_target(workspace, None, SANDBOX) == ("sandbox", SANDBOX)
    with pytest.raises(ConfigError) as caught:
        choose_target(workspace, None, None)
    assert "inv sandbox.up" in caught.value.fix


def test_configured_sandbox_goes_before_the_practice_server() -> None:
    workspace = workspace_of(SHOP + '[targets.sandbox]\nhost = "practice.example.com"\n')
    assert choose_target(workspace, "sandbox", SANDBOX)[1].host == "practice.example.com"


def test_unknown_target_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="did you mean 'production'"):
        choose_target(workspace_of(TWO), "prodution", None)
