"""Real exports to be moved: the examples' own builds, made by shipper, each as it is and after two changes.

A build of 1,500 pages takes a minute or two, so what was built is kept in benchmarks/cache until the sources change.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipper.build.frontend import build_frontend
from shipper.config.load import find_workspace
from shipper.events import discard

CACHE = Path(__file__).parent / "cache"
EXAMPLES = Path(__file__).parents[1] / "examples"
API_URL = "https://api.example.com"
STATES = ("base", "text", "component")

# One page for each part that is made; the words are drawn from a list by the number, so that no two pages are alike.
_PARTS_PAGE = """// A data sheet for each part that the shop floor makes.
import type { Metadata } from "next";

import { PageHead } from "@/components/page-head";

const words = "bore groove flange shaft burr edge thread chamfer slot face radius pitch taper boss rib web".split(" ");
const draw = (number: number, place: number) => words[(number * 2654435761 + place * place * 40503) % words.length];

export const dynamicParams = false;
export const generateStaticParams = () => Array.from({ length: COUNT }, (_, number) => ({ part: String(number) }));

type Props = { params: Promise<{ part: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Part ${(await params).part}` };
}

export default async function PartPage({ params }: Props) {
  const number = Number((await params).part);
  const rows = Array.from({ length: 12 }, (_, row) => row);
  return (
    <div className="narrow">
      <PageHead title={`Part ${number}`}>Dimensions and notes of the data sheet.</PageHead>
      <table>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              <th>{draw(number, row)}</th>
              <td>{((number * 7919 + row * 104729) % 10007) / 100} mm</td>
              <td>{Array.from({ length: 9 }, (_, place) => draw(number + row, place)).join(" ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
"""


@dataclass(frozen=True)
class Source:
    """A frontend to build: the example it is made of, files that are added, and the changes, each of one file.

    A change is a path, what stands there, and what stands there afterwards.
    """

    name: str
    example: str
    text: tuple[str, str, str]
    component: tuple[str, str, str]
    added: Mapping[str, str]


_HEADER = ("components/site-header.tsx", "Sign in", "Log in")
_HELP = ("app/help/page.tsx", "Short answers to the usual questions.", "Short answers to what is asked most.")
SOURCES = (
    Source("quality", "quality", _HELP, _HEADER, {}),
    Source(
        "quality-1500",
        "quality",
        _HELP,
        _HEADER,
        {"app/parts/[part]/page.tsx": _PARTS_PAGE.replace("COUNT", "1488")},
    ),
    Source(
        "music",
        "music",
        ("src/texts.ts", "A little every day, slowly, to the end.", "A little every day, and on to the end."),
        ("src/components/Loaded.tsx", 'className="notice" role="alert"', 'className="notice wide" role="alert"'),
        {},
    ),
)


@dataclass(frozen=True)
class Export:
    """A built site in its three states, as folders: as it is, with a text changed, with a shared component changed."""

    name: str
    folders: Mapping[str, Path]


def build_exports(name: str) -> Export:
    """Return a source's export in its three states; what is in the cache already is not built again."""
    source = next(one for one in SOURCES if one.name == name)
    folder = CACHE / f"{name}-{_digest(source)}"
    if not folder.exists():
        scratch = CACHE / f"{name}.scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        _build_states(source, scratch)
        for older in CACHE.glob(f"{name}-????????????"):
            shutil.rmtree(older)
        scratch.rename(folder)
    return Export(name, {state: folder / state for state in STATES})


def _build_states(source: Source, scratch: Path) -> None:
    root = scratch / "source"
    skipped = shutil.ignore_patterns("node_modules", ".next", "out", "dist", ".shipper", ".env*")
    shutil.copytree(EXAMPLES / source.example, root, ignore=skipped)
    (CACHE / ".gitignore").write_text("*\n", encoding="utf-8")
    frontend = root / "frontend"
    for path, text in source.added.items():
        (frontend / path).parent.mkdir(parents=True, exist_ok=True)
        (frontend / path).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=frontend, check=True)
    for state in STATES:
        change = {"base": None, "text": source.text, "component": source.component}[state]
        before = ""
        if change:
            path, old, new = change
            before = (frontend / path).read_text(encoding="utf-8")
            assert old in before, f"{path} does not say {old!r}"
            (frontend / path).write_text(before.replace(old, new), encoding="utf-8")
        build = build_frontend(find_workspace(root), API_URL, discard)
        shutil.copytree(build.site, scratch / state)
        if change:
            (frontend / change[0]).write_text(before, encoding="utf-8")
    shutil.rmtree(root)


def _digest(source: Source) -> str:
    """Return what the kept export depends on: the example's files, what is added and changed."""
    digest = hashlib.sha256(repr(source).encode())
    folder = EXAMPLES / source.example / "frontend"
    listed = subprocess.run(["git", "ls-files", "-s", "."], cwd=folder, check=True, capture_output=True).stdout
    digest.update(listed)
    return digest.hexdigest()[:12]
