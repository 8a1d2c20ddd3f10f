"""The platform that a Dockerfile fixes: it counts for the stage that becomes the image, and what that stands on."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.build.dockerfile import fixed_platform


@pytest.mark.parametrize(
    ("text", "stage", "wanted"),
    [
        ("FROM python:3.11\n", "", ""),
        ("FROM --platform=linux/arm64 python:3.11\n", "", "linux/arm64"),
        ("ARG X\n# FROM --platform=arm64 a\nfrom --platform=aarch64 python AS base\nRUN x\n", "", "linux/arm64"),
        ("FROM --platform=$BUILDPLATFORM node AS tools\nFROM --platform=${TARGETPLATFORM} python\n", "", ""),
        ("FROM --platform=linux/amd64 node AS tools\nFROM python\nCOPY --from=tools /x /x\n", "", ""),
        ("FROM --platform=linux/arm64 python AS base\nFROM Base AS app\nRUN x\n", "", "linux/arm64"),
        ("FROM python AS app\nFROM --platform=linux/arm64 python AS tests\n", "app", ""),
        ("FROM python AS app\nFROM --platform=linux/arm64 python AS tests\n", "tests", "linux/arm64"),
        ("FROM --platform=linux/arm64 python AS python\nRUN x\nFROM python\n", "", "linux/arm64"),
        ("FROM --platform=linux/arm64/v8 --other=1 python\n", "", "linux/arm64"),
        ("FROM python AS python\n", "", ""),
        ("RUN nothing\n", "", ""),
    ],
)
def test_the_platform_of_an_image_is_that_of_its_stages(tmp_path: Path, text: str, stage: str, wanted: str) -> None:
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    found = fixed_platform(tmp_path / "Dockerfile", stage)
    assert (found.platform if found else "") == wanted
