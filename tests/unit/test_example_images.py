"""What of this machine's pip configuration gets into a base image of the examples."""

from __future__ import annotations

import pytest
from example_images import pip_configuration

from shipper.errors import HostError

WITH_PASSWORD = "https://kim:" + "marker-1a2b" + "@packages.example.com/simple"


def test_the_way_to_the_index_is_that_of_this_machine() -> None:
    settings = {
        "index-url": "https://packages.example.com/simple",
        "trusted-host": "packages.example.com",
        "proxy": "http://proxy.example.com:3128",
        "timeout": "60",
        "no-color": "true",
    }
    assert pip_configuration(settings).splitlines() == [
        "[global]",
        "index-url = https://packages.example.com/simple",
        "proxy = http://proxy.example.com:3128",
        "timeout = 60",
        "trusted-host = packages.example.com",
        "cert = /etc/ssl/certs/pip-certificates.pem",
    ]


def test_folders_of_this_machine_and_passwords_stay_here() -> None:
    others = f"file:///opt/packages/simple {WITH_PASSWORD} https://more.example.com/simple /opt/packages"
    text = pip_configuration({"extra-index-url": others, "proxy": "kim:marker-1a2b@proxy.example.com:3128"})
    assert "extra-index-url = https://more.example.com/simple\n" in text
    assert "opt" not in text
    assert "marker" not in text
    assert "proxy" not in text


@pytest.mark.parametrize("index", ["file:///opt/packages/simple", "/opt/packages", WITH_PASSWORD])
def test_an_index_that_an_image_cannot_have_is_refused_without_being_shown(index: str) -> None:
    with pytest.raises(HostError) as caught:
        pip_configuration({"index-url": index})
    assert "PIP_INDEX_URL" in caught.value.fix
    assert "marker" not in str(caught.value)
