"""What a failed build's output says about its cause; the output is as the tools print it."""

from __future__ import annotations

import pytest

from shipper.build.diagnose import failed
from shipper.build.program import Ended

TYPE_ERROR = """\
▲ Next.js 16.4.5 (Turbopack)
Failed to compile.

./app/page.tsx:3:7
Type error: Type 'string' is not assignable to type 'number'.

npm error Lifecycle script `build` failed with error:
npm error code 1
npm error path /home/dev/web
"""
OUT_OF_STEP = """\
npm error code EUSAGE
npm error
npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.
npm error
npm error Missing: vite@7.1.12 from lock file
"""


@pytest.mark.parametrize(
    ("output", "why", "fix"),
    [
        (TYPE_ERROR, "./app/page.tsx:3:7  A type error stops the build: Type 'string'", "npx tsc"),
        ("src/main.ts(3,5): error TS2322: Type 'string' is not assignable.", "TS2322", "npx tsc"),
        (OUT_OF_STEP, "do not fit together", "npm install"),
        (
            "FATAL ERROR: Ineffective mark-compacts near heap limit - JavaScript heap out of memory",
            "memory",
            "--max-old",
        ),
        ('You are using Node.js 18.1.0. For Next.js, Node.js version ">=20.9.0" is required.', "18.1.0", "Node.js"),
        ('⚠ You are using a non-standard "NODE_ENV" value in your environment.', "NODE_ENV", "Remove NODE_ENV"),
        ("sh: 1: vite: not found", "vite is not installed", "npm install --save-dev vite"),
        ("Module not found: Can't resolve '@/lib/api'", "'@/lib/api' leads nowhere.", "install the package"),
        ("npm error code ENOTFOUND", "(ENOTFOUND)", "connection"),
    ],
)
def test_a_known_cause_is_named_with_what_to_do(output: str, why: str, fix: str) -> None:
    error = failed("The frontend's build failed.", Ended(1, tuple(output.splitlines()), timed_out=False))
    assert why in error.why.splitlines()[0]
    assert fix in error.fix


def test_an_unknown_failure_shows_the_last_lines_without_the_package_managers_own() -> None:
    lines = ("> build", "> make-site", "", "The moon is full.", "npm error code 1", "npm error path /home/dev/web")
    error = failed("The frontend's build failed.", Ended(1, lines, timed_out=False))
    assert error.why == "  The moon is full."
    assert error.fix


def test_a_killed_build_is_said_to_be_out_of_memory() -> None:
    assert "memory" in failed("The frontend's build failed.", Ended(137, (), timed_out=False)).why


def test_a_build_that_waits_for_ever_is_said_to_have_been_stopped() -> None:
    assert "30 minutes" in failed("The frontend's build failed.", Ended(-9, (), timed_out=True)).why
