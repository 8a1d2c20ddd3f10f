"""Writing a value into ship.toml without touching what people wrote around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.config.edit import set_target_value
from shipper.config.load import load_project
from shipper.errors import ConfigError

KEY = "SHA256:" + "a" * 43
BEFORE = """\
# our shop
name   =  'shop'   # odd layout

[frontend]
preset = "next"

[targets.production]  # the real one
host = "shop.example.com"

# practice
[targets.staging]
host = "staging.example.com"
"""


def test_new_key_is_added_to_its_target_and_nothing_else_changes(tmp_path: Path) -> None:
    file = tmp_path / "ship.toml"
    file.write_text(BEFORE)
    set_target_value(file, "production", "host_key", KEY)
    after = file.read_text()
    assert load_project(file).targets["production"].host_key == KEY
    assert load_project(file).targets["staging"].host_key is None
    added = f'host_key = "{KEY}"\n'
    assert after.replace(added, "") == BEFORE
    assert f'host = "shop.example.com"\n{added}' in after


def test_existing_key_is_replaced_in_place(tmp_path: Path) -> None:
    file = tmp_path / "ship.toml"
    file.write_text(BEFORE)
    set_target_value(file, "staging", "host", "new.example.com")
    assert file.read_text() == BEFORE.replace("staging.example.com", "new.example.com")
    assert [path.name for path in tmp_path.iterdir()] == ["ship.toml"]


def test_windows_line_ends_and_byte_order_mark_stay(tmp_path: Path) -> None:
    file = tmp_path / "ship.toml"
    file.write_bytes(b"\xef\xbb\xbf" + BEFORE.replace("\n", "\r\n").encode())
    set_target_value(file, "staging", "user", "ubuntu")
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# our shop\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == BEFORE.count("\n") + 1


def test_value_that_cannot_be_right_leaves_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "ship.toml"
    file.write_text(BEFORE)
    with pytest.raises(ConfigError):
        set_target_value(file, "staging", "host_key", "nonsense")
    with pytest.raises(ConfigError, match=r"no \[targets\.testing\]"):
        set_target_value(file, "testing", "host_key", KEY)
    assert file.read_text() == BEFORE


@pytest.mark.parametrize(
    "targets",
    [
        '[targets]\nproduction = { host = "a.example.com" }\nstaging.host = "b.example.com"\n',
        'targets.production.host = "a.example.com"\n',
        '[targets.production]\nhost = "a"\n[nginx]\nrate = "off"\n[targets.staging]\nhost = "b"',
    ],
)
def test_every_way_to_write_a_target_is_edited(tmp_path: Path, targets: str) -> None:
    head = 'name = "shop"\nfrontend = { preset = "next" }\n'
    file = tmp_path / "ship.toml"
    file.write_text(head + targets)
    for name in load_project(file).targets:
        set_target_value(file, name, "user", "ubuntu")
        set_target_value(file, name, "user", "admin")
    assert {target.user for target in load_project(file).targets.values()} == {"admin"}
    assert file.read_text().startswith(head)
