"""Two apps with one domain: nginx gives everything to one of them, so both are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.agent import nginx
from shipper.agent.layout import Layout


def block(name: str) -> str:
    return f"server {{\n    listen 80;\n    server_name {name};\n    include /etc/nginx/shipper/x.conf;\n}}\n"


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ({"shop": "shop.example.com"}, []),
        ({"shop": "app.example.com"}, ["shop"]),
        ({"shop": "app.example.com", "blog": "app.example.com", "app": "app.example.com"}, ["blog", "shop"]),
        ({"shop": "app.example.com.kr"}, []),
    ],
    ids=["another domain", "the same", "two, and its own", "one that only begins like it"],
)
def test_the_other_apps_of_a_domain_are_found(tmp_path: Path, others: dict[str, str], found: list[str]) -> None:
    layout = Layout("app", etc=str(tmp_path))
    folder = tmp_path / "nginx" / "conf.d"
    folder.mkdir(parents=True)
    for app, name in others.items():
        (folder / f"shipper-{app}.conf").write_text(block(name), encoding="utf-8")
    assert nginx.sharing_name(layout, {"http": block("app.example.com"), "server": ""}) == found
