"""The environment on the server: read back as it was sent, and hidden wherever programs repeat it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server import Client, make_layout

from shipper.agent import commands, environment, lock
from shipper.agent.errors import AgentError
from shipper.config.envfile import EnvFile, render_env

values = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], include_characters="\n\r\t"), max_size=60)


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True), values, max_size=6))
def test_the_server_reads_what_the_client_wrote(
    tmp_path_factory: pytest.TempPathFactory, wanted: dict[str, str]
) -> None:
    file = tmp_path_factory.mktemp("env") / "env"
    file.write_text(render_env(EnvFile("test", wanted)), encoding="utf-8", newline="")
    assert environment.read(str(file)) == wanted


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_that_somebody_wrote_on_the_server_is_read_whatever_ends_its_lines(tmp_path: Path, end: str) -> None:
    file = tmp_path / "env"
    file.write_bytes(f'A="1"{end}B=2{end}C="x" {end}'.encode())
    assert environment.read(str(file)) == {"A": "1", "B": "2", "C": "x"}


def test_what_would_not_be_read_back_as_it_is_meant_is_refused_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = make_layout(tmp_path)
    monkeypatch.setattr(commands, "Layout", lambda app: layout)
    environment.replace(layout, 'KEY="old"\n')
    request = {"app": "shop", "holder": {"who": "kim"}, "text": 'KEY="new"\n', "values": {"KEY": "other"}}
    with pytest.raises(AgentError, match="would not be read back"):
        commands.COMMANDS["env.push"](request, Client().channel)
    lock.release(layout)
    assert environment.read(layout.env) == {"KEY": "old"}


def test_the_env_file_is_closed_to_everybody_but_root(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    environment.replace(layout, 'KEY="value"\n')
    assert stat.S_IMODE(Path(layout.env).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(layout.salt).stat().st_mode) == 0o600


def test_the_digest_changes_with_any_value_and_tells_nothing_across_servers(tmp_path: Path) -> None:
    layouts = [make_layout(tmp_path / "one"), make_layout(tmp_path / "two")]
    digests = []
    for layout in layouts:
        for value in ("1", "2", "1"):
            environment.replace(layout, f'PIN="{value}"\n')
            digests.append(environment.digest(layout))
    assert digests[0] == digests[2] != digests[1]
    assert not set(digests[:3]) & set(digests[3:])


def test_comparing_names_variables_and_never_values(tmp_path: Path) -> None:
    layout = make_layout(tmp_path)
    environment.replace(layout, 'A="1"\nB="old-secret"\nC="3"\n')
    difference = environment.compare(layout, {"A": "1", "B": "new-secret", "D": "4"})
    assert difference == {"missing": ["D"], "extra": ["C"], "changed": ["B"], "equal": ["A"]}


SECRETS = {
    "PASSWORD": "hunter/22 +",
    "ODD": 'it\'s "a" $ecret\\',
    "DATABASE_URL": "postgres://me:p%40ss-word@db.example.com/shop",
    "PRIVATE_KEY": "-----BEGIN KEY-----\nMIIabcdef\n-----END KEY-----",
    "비밀": "한국어-비밀번호",
}


FORMS = (
    str,
    repr,
    json.dumps,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: json.dumps(text, ensure_ascii=False),
)


@pytest.mark.parametrize("secret", [*SECRETS.values(), "p%40ss-word", "p@ss-word", "MIIabcdef"])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form_in_which_programs_print_it(secret: str, form: object) -> None:
    assert callable(form)
    text = f"before {form(secret)} after"
    masked = environment.Mask(SECRETS.items())(text)
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    for line in secret.splitlines():
        assert line not in masked
    assert "*****" in masked


def test_a_token_in_the_place_of_a_user_is_masked_and_a_users_name_is_not() -> None:
    mask = environment.Mask([("FEED", "https://t0ken-value@feed.example.com/"), ("MAIL", "smtp://kim:pw@mail.example")])
    assert mask("cannot log in with t0ken-value at feed") == "cannot log in with ******** at feed"
    assert mask("kim may not use pw") == "kim may not use ********"


def test_ordinary_words_are_not_masked() -> None:
    mask = environment.Mask(
        {
            "DEBUG": "False",
            "MODE": "production",
            "ALLOWED_HOSTS": "shop.example.com",
            "SITE": "https://shop.example.com",
            "DATABASE_PATH": "/srv/shop/shared/data/db.sqlite3",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PORT": "8000",
        }.items()
    )
    text = "production: config.settings False at https://shop.example.com /srv/shop/shared/data/db.sqlite3 8000"
    assert mask(text) == text
