"""The key and the host key as a run of CI hands them over: nothing of them is in a file on this machine."""

from __future__ import annotations

import pytest
from test_connection import OTHER_PIN, Shop, make_key, shop

__all__ = ["shop"]
MISSING = "/nowhere/key.pem"


def key_of(shop: Shop) -> str:
    return shop.sandbox.key_file.read_text(encoding="utf-8")


def test_the_key_in_the_environment_is_used_instead_of_a_file(shop: Shop) -> None:
    shop.target(key=MISSING)
    code, output = shop.check()
    assert (code, "cannot be read" in output) == (4, True), output
    code, output = shop.check(SHIPPER_SSH_KEY=key_of(shop))
    assert code == 0, output
    assert not [line for line in key_of(shop).splitlines() if line in output]


def test_the_key_in_the_environment_beats_one_that_would_work(shop: Shop) -> None:
    stranger = make_key(shop.home / "stranger")
    code, output = shop.check(SHIPPER_SSH_KEY=stranger.read_text(encoding="utf-8"))
    assert code == 4, output
    assert "does not let deploy in" in output
    assert "Tried: SHIPPER_SSH_KEY (ssh-ed25519 SHA256:" in output


def test_an_empty_key_is_none(shop: Shop) -> None:
    code, output = shop.check(SHIPPER_SSH_KEY="", SHIPPER_HOST_KEY="")
    assert code == 0, output


def test_a_damaged_key_is_named_and_not_shown(shop: Shop) -> None:
    damaged = key_of(shop)[:200]
    code, output = shop.check(SHIPPER_SSH_KEY=damaged)
    assert code == 2, output
    assert "SHIPPER_SSH_KEY holds no private key that can be read." in output
    assert damaged.splitlines()[1][:10] not in output


def test_the_server_is_known_by_the_host_key_in_the_environment(shop: Shop) -> None:
    shop.target(host_key=None)
    known = f"{OTHER_PIN} {shop.sandbox.host_key_fingerprint}"
    code, output = shop.check(SHIPPER_HOST_KEY=known)
    assert code == 0, output
    code, output = shop.check(SHIPPER_HOST_KEY=OTHER_PIN)
    assert (code, "HAS CHANGED" in output) == (4, True), output
    assert OTHER_PIN in output


def test_the_pin_in_ship_toml_goes_first(shop: Shop) -> None:
    shop.target(host_key=OTHER_PIN)
    code, output = shop.check(SHIPPER_HOST_KEY=shop.sandbox.host_key_fingerprint)
    assert (code, "HAS CHANGED" in output) == (4, True), output


@pytest.mark.parametrize("handed", [True, False])
def test_a_jump_host_takes_the_same_key_and_is_known_the_same_way(shop: Shop, handed: bool) -> None:
    shop.target(port=22, jump=f"deploy@127.0.0.1:{shop.sandbox.ssh_port}", key=MISSING, host_key=None)
    given = {"SHIPPER_HOST_KEY": shop.sandbox.host_key_fingerprint} if handed else {}
    code, output = shop.check(SHIPPER_SSH_KEY=key_of(shop), **given)
    assert (code, "is not known" in output) == ((0, False) if handed else (4, True)), output
