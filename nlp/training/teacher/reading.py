"""What multilingual-e5-small makes of texts: the means of four of its layers. Needs torch, loaded on first use.

The network stays as it came. One core reads about 100 texts a second, so what was read is kept in a folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.features import Ints
from nlp.training.teacher.weights import Floats32, Weights

Say = Callable[[str], None]
Tensor = Any
Layer = dict[str, Tensor]
DEPTHS = (3, 6, 9, 12)  # after these layers
_MOST_PIECES, _TOGETHER, _TOLD = 96, 64, 3200
_LINK = re.compile(r"https?://\S+|//t\.cn\S*")


class Reader:
    """The network, in 16-bit floats. ``kept``: where what was read is kept between runs."""

    def __init__(self, weights: Weights, kept: Path, say: Say) -> None:
        self.torch: Any = import_module("torch")
        self.weights, self.sizes, self.kept, self.say = weights, weights.sizes, kept, say
        self.layers = [self._layer(number) for number in range(self.sizes.layers)]
        self.scale, self.shift = (self._floats(f"emb.ln.{part}") for part in "wb")
        self.places = self._floats("emb.pos").view(-1, self.sizes.width) + self._floats("emb.type")[: self.sizes.width]

    def read(self, texts: Sequence[str]) -> Floats32:
        """The means of its layers, texts x (depths times width)."""
        digest = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
        path = self.kept / f"{digest[:32]}.npy"
        if path.is_file():
            return np.asarray(np.load(path, allow_pickle=False), np.float32)
        found = np.zeros((len(texts), len(DEPTHS) * self.sizes.width), np.float32)
        done = 0
        with self.torch.no_grad():
            for some, hidden, told in self._begun(texts):
                found[some] = self._means(hidden, told)
                if (done + len(some)) // _TOLD > done // _TOLD:
                    self.say(f"teacher: read {done + len(some)} of {len(texts)} texts")
                done += len(some)
        self.kept.mkdir(parents=True, exist_ok=True)
        np.save(path, found, allow_pickle=False)
        return found

    def _begun(self, texts: Sequence[str]) -> Iterator[tuple[Ints, Tensor, Tensor]]:
        """Texts of like length together: their numbers, their pieces as vectors, which places are filled."""
        cut = [self.weights.cutter.cut("query: " + _LINK.sub("", text), _MOST_PIECES) for text in texts]
        used = np.array(sorted({piece for one in cut for piece in one}), np.int64)
        table = self._sixteen(self.weights.matrix("emb.word", self.sizes.width, used))
        order = np.argsort([len(one) for one in cut], kind="stable")
        for at in range(0, len(order), _TOGETHER):
            some = order[at : at + _TOGETHER]
            rows = [table[self.torch.tensor(np.searchsorted(used, cut[number]))] for number in some]
            whole = self.torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
            lengths = self.torch.tensor([len(one) for one in rows])
            told = self.torch.arange(whole.shape[1])[None, :] < lengths[:, None]
            yield some, self._even_out(whole + self.places[: whole.shape[1]], self.scale, self.shift), told

    def _means(self, hidden: Tensor, told: Tensor) -> Floats32:
        filled, parts = told.unsqueeze(2).to(hidden.dtype), []
        for number, layer in enumerate(self.layers, 1):
            hidden = self._through(layer, hidden, told)
            if number in DEPTHS:
                parts.append((hidden * filled).sum(1).float() / filled.float().sum(1))
        return np.asarray(self.torch.cat(parts, 1).numpy(), np.float32)

    def _through(self, layer: Layer, hidden: Tensor, told: Tensor) -> Tensor:
        functional = self.torch.nn.functional
        texts, length, width = hidden.shape
        parts = functional.linear(hidden, layer["qkv.w"], layer["qkv.b"])
        asks, keys, values = parts.view(texts, length, 3, self.sizes.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(asks, keys, values, attn_mask=told[:, None, None, :])
        seen = functional.linear(seen.transpose(1, 2).reshape(texts, length, width), layer["ao.w"], layer["ao.b"])
        hidden = self._even_out(hidden + seen, layer["aln.w"], layer["aln.b"])
        inner = functional.gelu(functional.linear(hidden, layer["fi.w"], layer["fi.b"]))
        more = functional.linear(inner, layer["fo.w"], layer["fo.b"])
        return self._even_out(hidden + more, layer["oln.w"], layer["oln.b"])

    def _even_out(self, hidden: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return self.torch.nn.functional.layer_norm(hidden, (self.sizes.width,), scale, shift, self.sizes.tiny)

    def _layer(self, number: int) -> Layer:
        width, inner = self.sizes.width, self.sizes.inner
        made = {
            "qkv.w": self._sixteen(np.concatenate([self.weights.matrix(f"l{number}.{one}.w", width) for one in "qkv"])),
            "qkv.b": self._sixteen(np.concatenate([self.weights.floats(f"l{number}.{one}.b") for one in "qkv"])),
        }
        for name, wide in (("ao", width), ("fi", width), ("fo", inner)):
            made[f"{name}.w"] = self._sixteen(self.weights.matrix(f"l{number}.{name}.w", wide))
            made[f"{name}.b"] = self._floats(f"l{number}.{name}.b")
        for name in ("aln", "oln"):
            made |= {f"{name}.{part}": self._floats(f"l{number}.{name}.{part}") for part in "wb"}
        return made

    def _floats(self, name: str) -> Tensor:
        return self._sixteen(self.weights.floats(name))

    def _sixteen(self, values: NDArray[np.float32]) -> Tensor:
        return self.torch.from_numpy(values).to(self.torch.bfloat16)
