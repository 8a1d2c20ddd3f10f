"""Reads a frontend's sources for the variables they take from the build. A tolerant scan that judges nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from shipper.build.fingerprint import frontend_folder, inputs_folder, the_frontend
from shipper.build.loopback import find_addresses
from shipper.build.presets import Preset, output_folder, preset_of
from shipper.build.source_tree import CODE_SUFFIXES, list_sources, never_in_a_browser, read_source
from shipper.config.frontend import Frontend
from shipper.config.project import Workspace

_SUFFIXES = frozenset([*CODE_SUFFIXES, ".html"])
# Where a build command of any kind may read a variable: configuration and templates.
_MORE_SUFFIXES = frozenset(".toml .yml .yaml .json .njk .liquid .hbs .ejs .pug .md .mdx .py .rb .tmpl .xml".split())

_NAME = r"[A-Za-z_$][\w$]*"
_TOKENS = re.compile(
    r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?P<comment>/\*.*?\*/|(?<![:\\])//[^\n]*|<!--.*?-->)""",
    re.DOTALL,
)
_FALLBACK = re.compile(r"""\s*\)?\s*(?:\|\||\?\?)\s*(?:["'`](?P<value>[^"'`\n]*)["'`])?""")
_ENV_BLOCK = re.compile(r"\benv\s*:\s*\{(?P<body>[^{}]*)\}")
_ENTRY = re.compile(rf"""["']?(?P<name>{_NAME})["']?\s*:\s*(?P<value>[^,\n}}]+)""")
_DEFINE = re.compile(rf"""["'](?:import\.meta|process)\.env\.(?P<name>{_NAME})["']\s*:\s*(?P<value>[^,\n]+)""")
_CONFIG_READ = re.compile(rf"\benv\??\.(?P<name>{_NAME})")
_ENV_PREFIX = re.compile(r"\benvPrefix\s*:\s*(?P<value>\[[^\]]*\]|[\"'][^\"']+[\"'])")
_STRING = re.compile(r"[\"']([^\"']+)[\"']")


@dataclass(frozen=True)
class Read:
    """One place where a source takes a variable: `path` is relative to the project, `fallback` is what `||` or `??`
    puts in its place (None without either, "" when it is no plain string)."""

    name: str
    path: str
    line: int
    fallback: str | None = None


@dataclass(frozen=True)
class Override:
    """An entry of `env: {}` in next.config or of `define` in a Vite config: `value` is the expression, `reads` the
    variables in it."""

    name: str
    value: str
    reads: tuple[str, ...]
    path: str
    line: int


@dataclass(frozen=True)
class Place:
    """A line of a source and what stands there."""

    text: str
    path: str
    line: int


@dataclass(frozen=True)
class Sources:
    """What the sources say. `foreign` are reads through an object that this build tool does not fill; `dynamic` are
    those the build cannot follow; `prefixes` are what a name must begin with to reach the browser."""

    reads: tuple[Read, ...]
    foreign: tuple[Read, ...]
    dynamic: tuple[Place, ...]
    overrides: tuple[Override, ...]
    addresses: tuple[Place, ...]
    prefixes: tuple[str, ...]


def scan_sources(workspace: Workspace) -> Sources:
    """Scan all sources of the frontend. Raises ConfigError when its folder is not there."""
    frontend = the_frontend(workspace)
    preset = preset_of(frontend)
    texts = list(_read_texts(workspace, preset))
    addresses = tuple(place for text in texts for place in _addresses(text))
    if not preset.env_object:
        if frontend.preset != "command":
            return Sources((), (), (), (), addresses, ())
        return Sources(tuple(read for text in texts for read in _named(text, frontend)), (), (), (), addresses, ("",))
    configurations = [text for text in texts if text.is_configuration]
    sources = [text for text in texts if not text.is_configuration]
    prefixes = _prefixes(preset, configurations)
    reads = [read for text in sources for read in _reads(text, preset, prefixes)]
    reads += [read for text in configurations for read in _matches(text, _CONFIG_READ)]
    return Sources(
        reads=tuple(dict.fromkeys(reads)),
        foreign=tuple(read for text in sources for read in _matches(text, _member(_other_object(preset)))),
        dynamic=tuple(place for text in sources for place in _dynamic_reads(text, preset)),
        overrides=tuple(entry for text in configurations for entry in _overrides(text)),
        addresses=addresses,
        prefixes=prefixes,
    )


@dataclass(frozen=True)
class _Text:
    path: str
    content: str
    is_configuration: bool

    def line_at(self, offset: int) -> int:
        return self.content.count("\n", 0, offset) + 1

    def quote(self, offset: int) -> str:
        return self.content.splitlines()[self.line_at(offset) - 1].strip()


def _read_texts(workspace: Workspace, preset: Preset) -> Iterator[_Text]:
    root = inputs_folder(workspace)
    folder = frontend_folder(workspace)
    frontend = the_frontend(workspace)
    built = output_folder(frontend)
    suffixes = _SUFFIXES | _MORE_SUFFIXES if frontend.preset == "command" else _SUFFIXES
    # A template of Create React App's, although it stands among the files that are copied.
    page = (folder.relative_to(root) / "public" / "index.html").as_posix() if frontend.preset == "cra" else ""
    output = (folder / built).relative_to(root).as_posix() if built else ""
    for path in list_sources(root, output):
        pure = PurePosixPath(path)
        is_configuration = pure.name in preset.config_files
        is_read = is_configuration or path == page or not never_in_a_browser(pure)
        if pure.suffix not in suffixes or not is_read:
            continue
        content = read_source(root / path)
        if frontend.preset == "command" or "env" in content or "//" in content or "%" in content:
            shown = (root / path).relative_to(workspace.root).as_posix()
            yield _Text(shown, _blank_comments(content), is_configuration)


def _blank_comments(content: str) -> str:
    """Replace comments by blanks of the same shape, so that lines and offsets stay what they are."""

    def blank(token: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", token[0]) if token["comment"] else token[0]

    return _TOKENS.sub(blank, content)


def _prefixes(preset: Preset, configurations: list[_Text]) -> tuple[str, ...]:
    for text in configurations:
        found = _ENV_PREFIX.search(text.content)
        if found and preset.env_object == "import.meta.env":
            return tuple(_STRING.findall(found["value"]))
    return (preset.prefix,)


def _other_object(preset: Preset) -> str:
    return "process.env" if preset.env_object == "import.meta.env" else "import.meta.env"


def _member(env_object: str) -> re.Pattern[str]:
    """Match `object.NAME`, `object?.NAME` and `object["NAME"]`."""
    spelled = re.escape(env_object).replace(r"\.", r"\??\.")
    return re.compile(rf"""\b{spelled}(?:\??\.(?P<name>{_NAME})|(?:\?\.)?\[\s*["'`](?P<key>{_NAME})["'`]\s*\])""")


def _reads(text: _Text, preset: Preset, prefixes: tuple[str, ...]) -> Iterator[Read]:
    yield from _matches(text, _member(preset.env_object))
    if not preset.whole_object:
        return
    # The browser gets the whole object, so a destructured, renamed or computed read works there.
    start = "|".join(re.escape(prefix) for prefix in prefixes)
    other = re.escape(_other_object(preset))
    yield from _matches(text, re.compile(rf"""(?:(?<!{other})\.|["'`%{{,]\s*)(?P<name>(?:{start})[\w$]*)"""))


def _named(text: _Text, frontend: Frontend) -> Iterator[Read]:
    """Find the names of the configured variables as whole words: how a program reads them is its own business."""
    names = [*frontend.variables, *filter(None, [frontend.api_url_variable])]
    for name in names:
        yield from _matches(text, re.compile(rf"\b(?P<name>{re.escape(name)})\b"))


def _matches(text: _Text, pattern: re.Pattern[str]) -> Iterator[Read]:
    for found in pattern.finditer(text.content):
        groups = found.groupdict()
        fallback = _FALLBACK.match(text.content, found.end())
        value = (fallback["value"] or "") if fallback else None
        yield Read(groups["name"] or groups["key"], text.path, text.line_at(found.start()), value)


def _dynamic_reads(text: _Text, preset: Preset) -> Iterator[Place]:
    """Next replaces `process.env.NAME` word by word; what is not spelled like that stays empty in the browser."""
    if preset.whole_object:
        return
    for found in re.finditer(rf"""\bprocess\.env\b(?!\s*\??\.\s*{_NAME}|\[\s*["'`]{_NAME}["'`]\s*\])""", text.content):
        yield Place(text.quote(found.start()), text.path, text.line_at(found.start()))


def _overrides(text: _Text) -> Iterator[Override]:
    for block in _ENV_BLOCK.finditer(text.content):
        for entry in _ENTRY.finditer(block["body"]):
            yield _override(text, entry, block.start("body") + entry.start())
    for entry in _DEFINE.finditer(text.content):
        yield _override(text, entry, entry.start())


def _override(text: _Text, entry: re.Match[str], offset: int) -> Override:
    reads = tuple(found["name"] for found in _CONFIG_READ.finditer(entry["value"]))
    return Override(entry["name"], entry["value"].strip(), reads, text.path, text.line_at(offset))


def _addresses(text: _Text) -> Iterator[Place]:
    for found in find_addresses(text.content):
        yield Place(found[0], text.path, text.line_at(found.start()))
