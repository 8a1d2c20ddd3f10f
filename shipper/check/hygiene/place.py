"""What kind of file a path names: what people write there decides what a value in it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_CODE = frozenset(
    "py pyi pyx js jsx ts tsx mjs cjs mts cts vue svelte astro java kt kts scala groovy go rs rb erb php phtml "
    "c h cc cpp "
    "hpp m mm swift cs fs vb dart lua pl pm r jl ex exs erl hs elm clj cljs sol graphql gql proto rake gemspec razor "
    "cshtml jsp ejs hbs jinja jinja2 twig haml slim pug".split()
)
# Data whose texts are always in quotes.
_QUOTED = frozenset("json json5 jsonc tf hcl toml ipynb gradle webmanifest map tfstate har lock".split())
_DOCUMENTS = frozenset("md mdx markdown rst adoc asciidoc txt text org wiki textile html htm log eml docx".split())
_DOCUMENT_NAMES = frozenset(
    "readme changelog changes license notice authors contributing metadata pkg-info todo".split()
)
# One assignment a line, the value goes to its end.
_LINES = frozenset("env properties ini cfg conf cnf service desktop envrc".split())
_STYLES = frozenset("css scss sass less styl svg".split())
_TABLES = frozenset("csv tsv psv".split())
_LOCKS = frozenset(
    "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock deno.lock poetry.lock uv.lock pdm.lock "
    "pipfile.lock cargo.lock go.sum go.work.sum composer.lock gemfile.lock mix.lock pubspec.lock podfile.lock "
    "packages.lock.json flake.lock gradle.lockfile .terraform.lock.hcl conda-lock.yml".split()
)
_TEST_FOLDERS = frozenset(
    "test tests testing __tests__ spec specs e2e cypress playwright fixtures __fixtures__ fixture mocks __mocks__ mock "
    "testdata test-data test_data stories androidtest unittest unittests".split()
)
_TEST_NAME = re.compile(
    r"(?:^tests?[_.-]|^conftest\.py$|[._-](?:test|tests|spec|specs|stories|story|mock|fixture|fixtures|e2e|"
    r"cy)\.[a-z]{1,5}$"
    r"|^mock[_-]|^(?:jest|vitest|playwright|cypress|karma)\b|^phpunit)"
)
_TEST_CLASS = re.compile(r"(?:Tests?|TestCase|IT|Spec|Mock)\.(?:java|kt|cs|scala|groovy|swift|php|m)$")
_EXAMPLE_NAME = re.compile(
    r"(?:^|[._ -])(?:examples?|samples?|templates?|dist|tmpl|tpl|skeleton|defaults?)(?:$|[._ -])|^\.?env\.default"
)
_BUILD_NAME = re.compile(r"[.-]min\.(?:js|css|mjs)$|\.(?:bundle|chunk)\.js$|\.map$")
_TEXT_FOLDERS = frozenset("locale locales i18n lang langs l10n translations translation intl messages nls".split())
_TEXT_NAME = re.compile(
    r"^(?:messages|validationmessages|strings|labels|translations?|locale)(?:[_.-][a-z]{2}(?:[_-][a-z]{2,4})?)?"
    r"\.(?:properties|json|ya?ml|xml|ts|js|php|po)$|^(?:en|ko|kr|ja|jp|zh|cn|de|fr|es|pt|it|ru|vi|th|id|tr|nl|"
    r"pl|ar|hi|sv|da|fi|no|cs|uk|he)(?:[_-][a-z]{2,4})?\.(?:json|ya?ml|ts|js|php|po)$"
    r"|\.(?:po|pot|arb|xliff|xlf|resx|strings|ftl)$"
)
_PIPELINE = re.compile(
    r"(?:^|/)(?:\.github/workflows/|\.circleci/|\.gitlab-ci|\.travis\.yml|bitbucket-pipelines|azure-pipelines|"
    r"\.woodpecker|\.drone\.yml|\.gitea/workflows/|appveyor\.yml)|(?:^|[._/-])ci[._-][^/]*\.ya?ml$|"
    r"compose[._-](?:test|ci)\."
)


@dataclass(frozen=True)
class Place:
    """The kind of one file.

    `code`: a value is a text in quotes, anything else an expression. `quoted`: data with the same habit.
    `document`: read by people. `line_values`: a value goes to the end of its line. `example`: a file with what to fill
    in. `test`: tests and their fixtures. `pipeline`: of continuous integration, where throw-away services have
    passwords. `texts`: what an app shows to people, in one language. `shaped_only`: only values with a shape of their
    own mean anything here.
    """

    path: str
    suffix: str
    code: bool
    quoted: bool
    document: bool
    line_values: bool
    table: bool
    example: bool
    test: bool
    pipeline: bool
    lock: bool
    texts: bool
    shaped_only: bool


@lru_cache(maxsize=4096)
def place_of(path: str) -> Place:
    """Return the kind of the file at `path` (relative, with "/")."""
    folders, _, spelled = path.rpartition("/")
    name = spelled.lower()
    parts = frozenset(folders.lower().split("/"))
    stem, dot, suffix = name.rpartition(".")
    while suffix in ("bak", "old", "orig", "backup", "save", "j2", "tmp") and "." in stem.lstrip("."):
        stem, dot, suffix = stem.rpartition(".")
    suffix = suffix if dot else ""
    env = name.startswith((".env", "env.")) or name == "env" or suffix in _LINES
    lock = name in _LOCKS
    texts = bool(_TEXT_NAME.search(name)) or (
        not _TEXT_FOLDERS.isdisjoint(parts)
        and suffix in ("json", "yml", "yaml", "properties", "ts", "js", "php", "xml")
    )
    return Place(
        path=path,
        suffix=suffix,
        code=suffix in _CODE and not (env and suffix != "py"),
        quoted=suffix in _QUOTED,
        document=suffix in _DOCUMENTS or name in _DOCUMENT_NAMES,
        line_values=env,
        table=suffix in _TABLES,
        example=bool(_EXAMPLE_NAME.search(name)),
        test=not _TEST_FOLDERS.isdisjoint(parts) or bool(_TEST_NAME.search(name) or _TEST_CLASS.search(spelled)),
        pipeline=bool(_PIPELINE.search(path.lower())),
        lock=lock,
        texts=texts,
        shaped_only=lock or suffix in _STYLES or bool(_BUILD_NAME.search(name)),
    )
