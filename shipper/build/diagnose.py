"""Reads the output of a failed build or installation: the lines that matter, the cause, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shipper.build.program import Ended
from shipper.errors import BuildError

_SHOWN_LINES = 12
_LINES_BEFORE = 3
# What npm, pnpm and yarn say about themselves; it buries the program's own words.
_NOISE = re.compile(
    r"^\s*$|^npm (?:warn|notice)|^npm error (?:code|path|workspace|location|Lifecycle|command|A complete log|errno"
    r"|syscall|   |at )|^npm error\s*$|^> |^error Command failed|^info Visit https://yarnpkg|ELIFECYCLE|^\s+at .*node:"
)
_FILE_AND_LINE = re.compile(r"^\s*(?P<place>\.?[\w@./\[\]()-]+\.[a-z]{2,6}[:(]\d+[:,]\d+\)?)")


@dataclass(frozen=True)
class _Cause:
    """A message that is known: its pattern, what it means and what to do; both may use the pattern's groups."""

    pattern: re.Pattern[str]
    why: str
    fix: str


def _cause(pattern: str, why: str, fix: str) -> _Cause:
    return _Cause(re.compile(pattern, re.IGNORECASE | re.MULTILINE), why, fix)


_CAUSES = (
    _cause(
        r"Missing script: \"?(?P<name>[\w:-]+)",
        "package.json has no script named {name}.",
        'Add "build": "..." to the scripts of package.json, or write command = [...] under [frontend] in ship.toml.',
    ),
    _cause(
        r"can only install packages when your package\.json|ERR_PNPM_OUTDATED_LOCKFILE|lockfile needs to be updated",
        "package.json and the lock file do not fit together.",
        "Run `npm install` (pnpm, yarn) in the frontend's folder and commit the lock file.",
    ),
    _cause(
        r"heap out of memory|Killed$|ENOMEM|Cannot allocate memory",
        "The build ran out of memory.",
        "Close other programs, or give node more: set NODE_OPTIONS=--max-old-space-size=4096 and try again.",
    ),
    _cause(
        r"Treating warnings as errors because process\.env\.CI = true",
        "Create React App stops at warnings where CI=true is set, as it is on GitHub; elsewhere it only shows them.",
        'Correct them, or write into ship.toml, under [frontend.variables]:  CI = "false"',
    ),
    _cause(
        r"ERR_OSSL_EVP_UNSUPPORTED|error:0308010C",
        "react-scripts 4 (and other tools on webpack 4) do not work with OpenSSL 3, which Node.js 17 and later have.",
        "Move to react-scripts 5, or write into ship.toml, under [frontend.variables]:  "
        'NODE_OPTIONS = "--openssl-legacy-provider"',
    ),
    _cause(
        r"NoAdapterInstalled|Cannot use server-rendered pages without an adapter",
        "A page of this Astro site is made by a server while it is asked for; static files have none.",
        'Remove output: "server" from astro.config and prerender = false from the pages, or ask the backend instead.',
    ),
    _cause(
        r"GetStaticPathsRequired|`?getStaticPaths\(\)`? function (?:is )?required for dynamic routes",
        "A page with [brackets] in its name does not say which paths there are.",
        "Export getStaticPaths() from it.",
    ),
    _cause(
        r"(?P<words>Node\.js v\S+ is not supported by Astro!)",
        "This Node.js is not the one that the project needs: {words}",
        "Install the version of Node.js that is asked for.",
    ),
    _cause(
        r"(?P<words>(?:You are using Node\.js|Vite requires Node\.js|The engine \"node\" is incompatible)[^\n]*)",
        "This Node.js is not the one that the project needs: {words}",
        "Install the version of Node.js that is asked for.",
    ),
    _cause(
        r"non-standard \"NODE_ENV\"",
        "The build script sets NODE_ENV itself, to something other than production; Next then cannot export.",
        "Remove NODE_ENV from the build script in package.json; shipper sets it to production.",
    ),
    _cause(
        r"(?P<name>[\w.-]+): (?:command )?not found|'(?P<other>[\w.-]+)' is not recognized as an internal",
        "The build tool {name}{other} is not installed in this frontend.",
        "Add it with `npm install --save-dev {name}{other}` and commit package.json and the lock file.",
    ),
    _cause(
        r"(?:Can't resolve|failed to resolve import|Could not resolve|Cannot find (?:module|package)) "
        r"['\"](?P<name>[^'\"]+)(?:['\"] (?:in|from|imported from) ['\"]?(?P<source>[^'\"\s]+))?",
        "The import '{name}' leads nowhere {source}.",
        "Correct the path (upper and lower case count outside Windows and macOS), or install the package.",
    ),
    _cause(
        r"^Type error: (?P<words>[^\n]+)|error (?P<other>TS\d+: [^\n]+)",
        "A type error stops the build: {words}{other}",
        "Correct it; `npx tsc --noEmit` shows all of them.",
    ),
    _cause(
        r"(?P<words>[^\n]*(?:is missing \"generateStaticParams\(\)\"|cannot be used with \"output: export\")[^\n]*)",
        "Something in the app needs a running Next server: {words}",
        "Export works without one; move this to the backend or give the page its static parameters.",
    ),
    _cause(
        r"Error occurred prerendering page \"(?P<name>[^\"]+)\"",
        "The page {name} failed while it was rendered for the export.",
        "Open the page with `npm run dev` to see the error. If it calls the API while it is built, that must run.",
    ),
    _cause(
        r"\b(?P<name>ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET)\b",
        "The network did not answer ({name}).",
        "Check the connection (and the proxy, if there is one), then run it again.",
    ),
)


def failed(what: str, ended: Ended) -> BuildError:
    """Return the error for a program that failed: `what` is one sentence, the rest comes from how it ended.

    Its last lines without the package manager's noise are the evidence; a cause that is recognised comes first.
    """
    text = "\n".join(ended.lines)
    if ended.timed_out:
        why, fix = (
            "It did not end within 30 minutes and was stopped.",
            "Run the build by hand to see what it waits for.",
        )
    else:
        why, fix = _explain(text, ended.code)
    why = "\n".join([*filter(None, [why]), *(f"  {line}" for line in _evidence(ended.lines))])
    return BuildError(what, why=why, fix=fix or "Correct what the lines above name, then run the same command again.")


def _explain(text: str, code: int) -> tuple[str, str]:
    for cause in _CAUSES:
        found = cause.pattern.search(text)
        if found:
            groups = {name: value or "" for name, value in found.groupdict().items()}
            return _place(text, found) + cause.why.format(**groups).replace(" .", "."), cause.fix.format(**groups)
    # A shell reports a signal as 128 + its number, Popen as a negative number (SIGKILL is 9).
    if code in (-9, 137):
        return "The build was killed, probably because memory ran out.", "Close other programs, then try again."
    return "", ""


def _place(text: str, found: re.Match[str]) -> str:
    """Next writes the file and line above the message."""
    before = text[: found.start()].splitlines()[-3:]
    places = [match["place"] for line in before if (match := _FILE_AND_LINE.match(line))]
    return f"{places[-1]}  " if places else ""


def _evidence(lines: Sequence[str]) -> list[str]:
    """Return the lines around the first message that is known, or else the last ones."""
    useful = [line for line in lines if not _NOISE.search(line)]
    known = [number for number, line in enumerate(useful) if any(cause.pattern.search(line) for cause in _CAUSES)]
    start = max(0, known[0] - _LINES_BEFORE) if known else max(0, len(useful) - _SHOWN_LINES)
    return useful[start : start + _SHOWN_LINES]
