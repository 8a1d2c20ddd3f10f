"""Proves a built site by reading its files: a browser will call the wanted URL, and nothing leads back home (B2).

Every failed proof names what won over the wanted value, by asking the sources and the env files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipper.build.assets import find_missing_assets
from shipper.build.baking import Baking, gather
from shipper.build.built_files import BuiltFile, list_site, read_texts
from shipper.build.culprit import Culprit, find_culprit, find_unset
from shipper.build.loopback import COLON, SLASH, find_addresses, plain
from shipper.build.presets import is_built
from shipper.config.frontend import Frontend
from shipper.config.project import Workspace
from shipper.findings import Finding

# axios, react-router and others hold a bare origin as the base of a URL that they never call: it stands beside the
# page's own location, or is the second argument of `new URL`.
_LIBRARY_CONTEXT = re.compile(r"location\.(?:href|origin)|new URL\(")
_LIBRARY_REACH = 120
_UNDEFINED = re.compile(r"""["'`]undefined/|//undefined(?=[/:"'`])|\$\{void 0\}/|\bvoid 0\s*\+\s*["'`]/""")
_INLINE_MAP = re.compile(r"//# sourceMappingURL=data:")
_PAYLOAD = re.compile(r"self\.__next_f\.push\((.*?)\)</script>", re.DOTALL)
# An element of React's payload whose type is a client component ("$L" and its number), up to its first child element.
_CLIENT_PROPS = re.compile(r'"\$L[0-9a-f]+",(?:null|"[^"]*"),(\{[^\[]*)')
# What code in a browser reads from a page: scripts in it, and the data of islands and of elements.
_PAGE_CODE = re.compile(
    r"<script\b[^>]*>(?P<script>.*?)</script>|\s(?:props|data-[\w-]+)=\"(?P<data>[^\"]*)\"", re.DOTALL
)
_CONTEXT = 60


@dataclass(frozen=True)
class _Hit:
    """A place in a built file: what stands there, plain, and the characters around it."""

    text: str
    file: BuiltFile
    offset: int

    @property
    def line(self) -> int:
        return self.file.text.count("\n", 0, self.offset) + 1

    @property
    def context(self) -> str:
        around = self.file.text[max(0, self.offset - _CONTEXT) : self.offset + len(self.text) + _CONTEXT]
        return " ".join(around.split())

    def where_and_what(self) -> str:
        return f"character {self.offset}: … {self.context} …"


def prove(site: Path, workspace: Workspace, api_url: str) -> list[Finding]:
    """Return what is wrong with the built site in the folder `site`; every error blocks the ship.

    `api_url` is the value that was baked: a full URL or a path such as "/api". Files are named by their place on this
    machine, relative to the project. Raises ConfigError when the frontend's folder is not there.
    """
    baking = gather(workspace, api_url)
    frontend = baking.frontend
    folder = site.relative_to(workspace.root).as_posix() if site.is_relative_to(workspace.root) else site.as_posix()
    loopback: dict[str, list[_Hit]] = {}
    undefined: list[_Hit] = []
    findings: list[Finding] = []
    proved = _Evidence(api_url)
    for file in read_texts(site):
        proved.look_at(file)
        for hit in _loopback_hits(file, frontend, api_url):
            loopback.setdefault(hit.text, []).append(hit)
        undefined.extend(_Hit(found[0], file, found.start()) for found in _UNDEFINED.finditer(file.text))
        if not frontend.source_maps and file.is_script and _INLINE_MAP.search(file.text):
            findings.append(_source_map(f"{folder}/{file.path}", "holds the source code as a source map"))
    if frontend.api_url_variable and not proved.is_enough(baking):
        findings.append(_url_missing(proved, baking))
    findings += [_loopback_finding(hits, folder, baking) for hits in loopback.values()]
    findings += find_missing_assets(site, workspace.project, folder)
    if undefined:
        findings.append(_undefined_finding(undefined[0], folder, find_unset(baking)))
    if not frontend.source_maps:
        maps = [path for path in list_site(site) if path.endswith(".map")]
        findings += [_source_map(f"{folder}/{maps[0]}", f"is a source map (one of {len(maps)})")] if maps else []
    return findings


class _Evidence:
    """Where the wanted URL was seen: in scripts, in React's payload, in pages."""

    def __init__(self, api_url: str) -> None:
        self.relative = api_url.startswith("/")
        self.in_scripts = False
        self.in_payload = False
        self.in_page_code = False
        self.in_pages = ""
        self._wanted = _as_prefix(api_url)

    def look_at(self, file: BuiltFile) -> None:
        """Search one file, unless a better place is known already. A path alone (`/api`) would prove nothing."""
        if self.relative or self.in_scripts or not self._wanted.search(file.text):
            return
        self.in_scripts = file.is_script
        if file.path.endswith(".html"):
            self.in_pages = self.in_pages or file.path
            payload = "".join(row[1] for row in _PAYLOAD.finditer(file.text)).replace('\\"', '"')
            self.in_payload |= any(self._wanted.search(props[1]) for props in _CLIENT_PROPS.finditer(payload))
            code = (found["script"] or found["data"] or "" for found in _PAGE_CODE.finditer(file.text))
            self.in_page_code = self.in_page_code or any(self._wanted.search(text) for text in code)

    def is_enough(self, baking: Baking) -> bool:
        """Say whether a browser will use the URL.

        React's payload carries what a server component hands to a client component, and then the URL is in no script
        at all. It is believed only when no source reads variables in a way that stays empty in the browser.
        """
        is_read = baking.variable in baking.reads
        if self.relative:
            return is_read
        if baking.frontend.preset == "next":
            return self.in_scripts or (self.in_payload and is_read and not baking.sources.dynamic)
        # Small scripts stand in the page itself (Astro), and pages of other generators need none at all.
        in_page = self.in_page_code or (baking.frontend.preset == "command" and bool(self.in_pages))
        return self.in_scripts or (in_page and is_read)


def _as_prefix(url: str) -> re.Pattern[str]:
    """Match `url` as the beginning of an address, with its slashes and colons as they are or escaped."""
    spelled = {"/": SLASH, ":": COLON}
    return re.compile(
        "".join(spelled.get(character, re.escape(character)) for character in url)
        + r"(?![A-Za-z0-9_-]|:\d|\.[A-Za-z0-9])"
    )


def _url_missing(proved: _Evidence, baking: Baking) -> Finding:
    culprit = find_culprit(baking, baking.variable, "")
    seen = f" It is only in the HTML ({proved.in_pages}), where no script calls it." if proved.in_pages else ""
    files = "file of it" if baking.frontend.preset == "command" else "JavaScript file"
    return Finding(
        "bake.url-not-in-javascript",
        "error",
        f"The built site does not use {baking.api_url}: no {files} holds it.{seen}",
        why=culprit.why,
        fix=culprit.fix,
        path=culprit.path,
        line=culprit.line,
    )


def _loopback_hits(file: BuiltFile, frontend: Frontend, api_url: str) -> Iterator[_Hit]:
    own = None if api_url.startswith("/") else _as_prefix(api_url)
    for found in find_addresses(file.text):
        address = plain(found[0])
        if own and own.match(file.text, found.start()):
            continue
        if any(address.startswith(allow.url) for allow in frontend.allow):
            continue
        if not _is_library_constant(file, found):
            yield _Hit(address, file, found.start())


def _is_library_constant(file: BuiltFile, found: re.Match[str]) -> bool:
    """Say whether this is a bare origin, without port or path, where libraries keep their placeholder."""
    if found["port"] or (found["path"] or "").strip("\\/"):
        return False
    around = file.text[max(0, found.start() - _LIBRARY_REACH) : found.end() + _LIBRARY_REACH]
    return file.is_script and bool(_LIBRARY_CONTEXT.search(around))


def _loopback_finding(hits: list[_Hit], folder: str, baking: Baking) -> Finding:
    hit = hits[0]
    culprit = find_culprit(baking, "", hit.text)
    files = len({other.file.path for other in hits})
    more = f" (and in {files - 1} more files)" if files > 1 else ""
    return Finding(
        "bake.loopback-url",
        "error",
        f"The {_site(baking)} calls {hit.text}, which is the visitor's own computer{more}; {hit.where_and_what()}",
        why=culprit.why,
        fix=culprit.fix or _allow_fix(hit.text),
        path=f"{folder}/{hit.file.path}",
        line=hit.line,
    )


def _site(baking: Baking) -> str:
    return "built site" if is_built(baking.frontend) else "site"


def _allow_fix(address: str) -> str:
    return (
        f"Search the sources and packages for it. If nothing calls it, write into ship.toml:  [[frontend.allow]]  "
        f'url = "{address}"  reason = "..."'
    )


def _undefined_finding(hit: _Hit, folder: str, culprit: Culprit) -> Finding:
    return Finding(
        "bake.undefined-in-url",
        "error",
        f"A URL in the site begins with 'undefined'; {hit.where_and_what()}",
        why=culprit.why,
        fix=culprit.fix,
        path=f"{folder}/{hit.file.path}",
        line=hit.line,
    )


def _source_map(path: str, what: str) -> Finding:
    return Finding(
        "bake.source-map",
        "error",
        f"{path} {what}: everybody could read the source code.",
        fix="Switch source maps off (Vite and Astro: build.sourcemap, Next: productionBrowserSourceMaps), or write "
        "source_maps = true under [frontend] in ship.toml.",
        path=path,
    )
