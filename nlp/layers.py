"""What a lesson leaves behind: a thin layer on a shipped model, or a model made anew; read, and put in its place."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp import linear
from nlp.linear import Floats, LinearModel

FORMAT = 1
_FINE = 32_000  # steps of a weight of the joined model


@dataclass(frozen=True)
class Layer:
    """What was learnt: numbers added to the log odds of the model with the fingerprint ``base``.

    ``values``: labels x buckets, int8, times ``scale``. Afterwards all is multiplied by ``slope``."""

    task: str
    base: str
    labels: tuple[str, ...]
    buckets: NDArray[np.uint32]
    values: NDArray[np.int8]
    scale: Floats
    bias: Floats
    slope: float
    meta: dict[str, Any] = field(default_factory=dict)

    def dump(self) -> bytes:
        """As an .npz without pickle."""
        head = {"format": FORMAT, "task": self.task, "base": self.base, "labels": self.labels, "meta": self.meta}
        out = io.BytesIO()
        np.savez_compressed(
            out, allow_pickle=False, head=np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), np.uint8),
            steps=np.diff(self.buckets, prepend=np.uint32(0)), values=self.values, scale=self.scale, bias=self.bias,
            slope=np.array([self.slope]),
        )  # fmt: skip
        return out.getvalue()


def load(data: bytes) -> Layer:
    """Read a layer; ValueError for a newer format or anything that needs pickle."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        head = json.loads(stored["head"].tobytes())
        if head["format"] > FORMAT:
            raise ValueError(f"layer format {head['format']} is newer than {FORMAT}")
        return Layer(
            head["task"], head["base"], tuple(head["labels"]), np.cumsum(stored["steps"], dtype=np.uint32),
            stored["values"], stored["scale"], stored["bias"], float(stored["slope"][0]), head["meta"],
        )  # fmt: skip


def taught(data: bytes, model: LinearModel) -> LinearModel:
    """What stands in for the shipped ``model``: it with a layer, or the model made anew that ``data`` holds.

    ValueError for what does not fit or cannot be read."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        is_layer = "steps" in stored.files
    if is_layer:
        return join(load(data), model)
    made = linear.load(data)
    if made.labels != model.labels:
        raise ValueError("made for other labels")
    if "network" not in made.meta:
        return made
    if made.meta["network"] != model.meta.get("network"):
        raise ValueError("made beside another network")
    return replace(made, network=model.network)


def join(layer: Layer, model: LinearModel) -> LinearModel:
    """The model with the layer in its weights: scored as fast as the shipped one. ValueError when they do not fit."""
    if layer.labels != model.labels or fingerprint(model) != layer.base:
        raise ValueError("the layer was made for another model")
    rounded: Any = np.zeros(model.weights.shape[::-1], np.int16).T  # the labels of a bucket together, as it is scored
    scale = np.zeros(len(model.labels))
    for label in range(len(model.labels)):  # one at a time: a worker's memory is counted
        row = model.weights[label].astype(np.float32) * np.float32(model.scale[label])
        row[layer.buckets] += layer.values[label] * np.float32(layer.scale[label] / model.slope[label])
        scale[label] = max(float(np.abs(row).max()), 1e-9) / _FINE
        rounded[label] = np.rint(row / np.float32(scale[label]))
    return replace(
        model, weights=rounded, scale=scale, slope=model.slope * layer.slope,
        shift=(model.shift + layer.bias) * layer.slope, meta={**model.meta, "learnt": layer.meta},
    )  # fmt: skip


def fingerprint(model: LinearModel) -> str:
    """Names a model by what it says, however its file is packed."""
    digest = hashlib.sha256(json.dumps([model.labels, str(model.recipe)]).encode())
    for part in (model.weights, model.scale, model.bias, model.slope, model.shift):
        digest.update(np.ascontiguousarray(part).tobytes())
    for part in model.network.arrays().values() if model.network else ():
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:16]
