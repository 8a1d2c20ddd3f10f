"""Every new layer of an image is looked through before anything is sent; what was found in it is remembered."""

from __future__ import annotations

import json
import tarfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shipper.build.image import STEP, ImageBuild
from shipper.check.layers import layer_findings, look_into, rules_digest, step_of
from shipper.check.secrets import leave_out_allowed_of
from shipper.config.project import Workspace
from shipper.deliver.export import configuration_of, open_layer, saved_layers
from shipper.deliver.image import Pushed
from shipper.errors import BuildError
from shipper.events import Emit, Event, count_layers
from shipper.findings import refuse_errors
from shipper.remembered import remembered

# Those of some months; the oldest are forgotten and looked at again.
_REMEMBERED = 500
_Verdicts = dict[str, dict[str, Any]]


def refuse_in_pushed(pushed: Pushed, workspace: Workspace, looked: Mapping[str, list[list[str]]], emit: Emit) -> None:
    """Look through an image in our own registry. Raises FindingsError when something in it must stay here.

    `looked` is what was found in blobs already, by their digests.
    """
    configuration = json.loads(pushed.configuration.file.read_bytes())
    layers = configuration["rootfs"]["diff_ids"]
    with _verdicts(workspace.cache, layers, emit) as verdicts:
        for diff_id, blob in zip(layers, pushed.layers, strict=True):
            if diff_id not in verdicts:
                found = looked.get(blob.digest)
                verdicts[diff_id] = {"found": _look(blob.file) if found is None else found}
        _add_steps(verdicts, configuration)
    _refuse(verdicts, layers, workspace)


def refuse_in_built(client: Any, build: ImageBuild, workspace: Workspace, emit: Emit) -> None:
    """Look through an image in the engine, before it is pushed to a registry of others. Raises FindingsError."""
    cache = workspace.cache
    with _verdicts(cache, build.layers, emit) as verdicts:
        if any(diff_id not in verdicts for diff_id in build.layers):
            texts: dict[str, bytes] = {}
            cache.mkdir(parents=True, exist_ok=True)
            for diff_id, file in saved_layers(client, build.id, cache, verdicts, texts):
                if diff_id not in verdicts:
                    verdicts[diff_id] = {"found": _look(file)}
            _add_steps(verdicts, json.loads(configuration_of(texts)))
    _refuse(verdicts, build.layers, workspace)


@contextmanager
def _verdicts(cache: Path, layers: Sequence[str], emit: Emit) -> Iterator[_Verdicts]:
    """Give what is known of layers, by their DiffIDs; say how many were new when the block ends."""
    began = time.monotonic()
    with remembered(cache / "layers.json") as table:
        if table.get("rules") != rules_digest():
            table.clear()
        known: _Verdicts = table.get("layers") or {}
        new = sum(diff_id not in known for diff_id in layers)
        yield known
        used = {diff_id: known.pop(diff_id) for diff_id in layers if diff_id in known}
        known.update(used)
        table.update({"rules": rules_digest(), "layers": dict(list(known.items())[-_REMEMBERED:])})
    if new:
        seconds = time.monotonic() - began
        emit(Event("note", STEP, f"Looked through {count_layers(new)} for what must stay here, {seconds:.1f} s."))


def _look(file: Path) -> list[list[str]]:
    try:
        with open_layer(file) as layer:
            return list(look_into(layer))
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise BuildError(
            "A layer of the image cannot be read.", why=f"{file}: {error}", fix=f"Remove {file.parent} and ship again."
        ) from error


def _add_steps(verdicts: _Verdicts, configuration: dict[str, Any]) -> None:
    """Note for every layer the step that made it; history without layers tells only of settings."""
    made = [entry for entry in configuration.get("history") or () if not entry.get("empty_layer")]
    for diff_id, entry in zip(configuration["rootfs"]["diff_ids"], made, strict=False):
        if diff_id in verdicts:
            verdicts[diff_id]["step"] = step_of(str(entry.get("created_by") or ""))


def _refuse(verdicts: _Verdicts, layers: Sequence[str], workspace: Workspace) -> None:
    """Raise FindingsError for what no entry of [[check.allow]] covers; its path begins with a slash there."""
    known = [verdicts[diff_id] for diff_id in layers if diff_id in verdicts]
    found = [finding for one in known for finding in layer_findings(one.get("step", "unknown"), one["found"])]
    refuse_errors(leave_out_allowed_of(workspace, found))
