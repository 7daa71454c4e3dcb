"""Hot issues as they grow: each new message goes to the matter it is about, to another lone message, or stays alone.

The same vectors and the same nearness as in :mod:`nlp.clusters`, one message after the other in the order of time.
How rare a word is comes from what this office received (:class:`Tally`), led by the language at large as long as that
is little. Nothing is remembered here between two calls."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nlp import clean, clusters, features, keywords, linear, personal
from nlp.base import Text
from nlp.clusters import RECIPE, Floats32, Member
from nlp.features import Batch, Ints
from nlp.linkage import closeness
from nlp.pipeline import Analyser

NEAR = clusters.NEAR  # how near a message is that joins
ALIKE = 0.20  # how near two matters are that are one
TELLING = 4  # a text with fewer telling words says too little to be placed by them
# Of two texts with so few telling words a single one that both have makes them near, and says nothing: the more are
# the same, the less near they must be.
SHORT, NEAR_BY_SHARED = 20, (2.0, 2.0, 0.26, 0.20)
COMMON = clusters.COMMON  # from this many messages on, further ones of a matter teach nothing
KEPT_WORDS = 8  # per message, shown as the reason why it is where it is
LONGEST = 300  # entries of a matter's vector; the rest weighs next to nothing
_LED_BY = 500  # the language counts as much as this many messages of the office
_BROAD = 0.15  # words of more than this share of the messages say nothing ...
_BROAD_FROM = 200  # ... once there are so many messages
_FADE = 100_000  # after so many messages the old ones count half
_BATCH = 250
_COPY_SIGNS = 10  # shorter texts are the same by chance

_ADDRESS = re.compile(r"https?://[A-Za-z0-9./?=&%_~:#+,;!$*()-]+|@[\w·-]{1,30}")
_NO_SIGN = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Tally:
    """In how many messages each word occurred (hashed), of how many; old ones fade."""

    documents: int
    counts: Ints

    @classmethod
    def empty(cls) -> Tally:
        """Nothing received yet."""
        return cls(0, np.zeros(1 << keywords.BITS, np.int64))

    @classmethod
    def unpack(cls, documents: int, data: bytes) -> Tally:
        """From what :meth:`packed` gave; ValueError for anything else."""
        counts = np.frombuffer(zlib.decompress(data), np.uint32).astype(np.int64)
        if len(counts) != 1 << keywords.BITS:
            raise ValueError("not a tally")
        return cls(documents, counts)

    def packed(self) -> bytes:
        """For storing: some hundred kilobytes at most."""
        return zlib.compress(self.counts.astype(np.uint32).tobytes(), 1)

    def with_words(self, members: Sequence[Member]) -> Tally:
        """This and these messages. Leave out what many people say about one thing at once: a burst must not make its
        own words common, or it would fall apart."""
        counts, documents = self.counts.copy(), self.documents + len(members)
        for member in members:
            counts[np.unique(member.bucket >> (RECIPE.bits - keywords.BITS))] += 1
        if documents > _FADE:
            counts, documents = counts // 2, documents // 2
        return Tally(documents, counts)

    def rarity(self) -> Floats32:
        """idf of every feature; 0 for stop words and for what nearly everybody here writes."""
        language = clusters.language()
        seen = np.repeat(self.counts, 1 << (RECIPE.bits - keywords.BITS))
        idf = np.log((1 + self.documents + _LED_BY) / (1 + seen + _LED_BY * np.exp(-language))) + 1
        if self.documents >= _BROAD_FROM:
            idf[seen > _BROAD * self.documents] = 0
        idf[language == 0] = 0
        return np.asarray(idf, np.float32)


@dataclass(frozen=True, slots=True)
class Traits:
    """What one message is placed by. ``member``: its vector. ``words``: its most telling words, best first.

    ``copy_of``: equal for texts that are the same but for marks, blanks, addresses and handles; 0: too short for that.
    """

    member: Member
    words: tuple[str, ...]
    copy_of: int

    @property
    def says_enough(self) -> bool:
        """Whether it may be placed by its words."""
        return len(self.member.bucket) >= TELLING


def traits(
    analyser: Analyser, texts: Sequence[Text], tally: Tally, days: Sequence[float] | None = None
) -> list[Traits]:
    """What each text is placed by. ``days``: when each was written, counted from any day."""
    idf = tally.rarity()
    told = [Text(personal.without(text.body), personal.without(text.title)) for text in texts]
    batches = [analyser.batch(told[at : at + _BATCH]) for at in range(0, len(told), _BATCH)]
    found = [one for batch in batches for one in _members(batch, idf)]
    times = days if days is not None else [0.0] * len(texts)
    return [
        Traits(member.at(day), words, fingerprint(text.whole))
        for (member, words), day, text in zip(found, times, texts, strict=True)
    ]


def _members(batch: Batch, idf: Floats32) -> list[tuple[Member, tuple[str, ...]]]:
    rows = linear.rows(linear.occurrences(batch, RECIPE), batch, RECIPE, idf)
    bounds = np.searchsorted(rows.doc, np.arange(batch.size + 1)).tolist()
    weight = idf[features.bucket(features.word_hashes(batch), RECIPE.bits)].astype(np.float64)
    weight[batch.ends - batch.starts < 2] = 0  # single characters compare well and read badly
    words = linear.top_words(batch, weight * np.where(batch.in_title, 2, 1), KEPT_WORDS)
    value = rows.value.astype(np.float32)
    return [
        (Member(rows.bucket[low:high], value[low:high], 1), told)
        for (low, high), told in zip(pairwise(bounds), words, strict=True)
    ]


def fingerprint(text: str) -> int:
    """The same 64-bit number for a text and its re-posts; 0 for texts too short to be more than alike by chance."""
    plain = _NO_SIGN.sub("", _ADDRESS.sub("", clean.clean(text[: clean.MODEL_CHARS]).text)).lower()
    if len(plain) < _COPY_SIGNS:
        return 0
    return int.from_bytes(hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=8).digest(), signed=True) or 1


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a message goes. ``group``: a known one by its number, or ``len(known) + n`` for the n-th new message.

    ``near``: the nearness that decided; 0 for a message that begins a group of its own."""

    group: int
    near: float


def place(new: Sequence[Member], known: Sequence[Member], near: float = NEAR) -> list[Placed]:
    """Each new message in turn to the nearest group, those before it included; far from all, it begins one."""
    total = len(known) + len(new)
    sizes, inner = np.zeros(total, np.float32), np.zeros(total, np.float32)
    sizes[: len(known)] = [member.size for member in known]
    inner[: len(known)] = [member.cohesion * member.size**2 for member in known]
    sums = np.zeros((len(new), total), np.float32)  # of each message's similarities to the members of each group
    sums[:, : len(known)] = _similar(new, known) * sizes[: len(known)]
    between = _similar(new, new)
    least = np.concatenate([_least(new, known, near), _least(new, new, near)], axis=1)
    found = []
    for number in range(len(new)):
        filled = np.maximum(sizes, 1)
        how_near = closeness(sums[number] / filled, 1.0, inner / filled**2)
        how_near[(how_near < least[number]) & (sizes == 1)] = 0
        best = int(how_near.argmax()) if total else 0
        nearest = float(how_near[best])
        chosen = Placed(best, nearest) if nearest >= near else Placed(len(known) + number, 0.0)
        sizes[chosen.group] += 1
        inner[chosen.group] += 1 + 2 * sums[number, chosen.group]
        sums[:, chosen.group] += between[:, number]
        found.append(chosen)
    return found


def _least(rows: Sequence[Member], columns: Sequence[Member], near: float) -> Floats32:
    """How near each of ``rows`` must be to each of ``columns`` that is a single message."""
    even = [[replace(one, value=np.ones_like(one.value), size=1) for one in side] for side in (rows, columns)]
    shared = np.minimum(clusters.similarities(*even), len(NEAR_BY_SHARED) - 1).astype(np.int64)
    few = [np.array([len(one.bucket) < SHORT for one in side], bool) for side in (rows, columns)]
    asked = np.array(NEAR_BY_SHARED, np.float32)[shared]
    return np.where(few[0][:, None] & few[1][None, :], np.maximum(asked, near), 0).astype(np.float32)


def _similar(rows: Sequence[Member], columns: Sequence[Member]) -> Floats32:
    """Average similarities, less where they lie apart in time."""
    table = clusters.similarities(rows, columns)
    clusters.fade(table, rows, columns)
    return table


def alike(touched: Sequence[Member], others: Sequence[Member], least: float = ALIKE) -> list[tuple[int, int]]:
    """Which of ``touched`` is so much like which of ``others`` that they are one matter; a member never like itself
    (the same object). Each of ``touched`` at most once, with the nearest."""
    table = _similar(touched, others)
    cohesion = np.array([other.cohesion for other in others], np.float32)
    pairs = []
    for number, member in enumerate(touched):
        row = closeness(table[number], member.cohesion, cohesion)
        row[[place for place, other in enumerate(others) if other is member]] = -1
        best = int(row.argmax()) if len(row) else 0
        if len(row) and row[best] >= least:
            pairs.append((number, best))
    return pairs


def joined(parts: Sequence[Member]) -> Member:
    """One group of all parts, its vector cut to the LONGEST heaviest entries."""
    whole = clusters.added(parts)
    if len(whole.bucket) <= LONGEST:
        return whole
    kept: NDArray[np.int64] = np.sort(np.argpartition(whole.value, -LONGEST)[-LONGEST:])
    return replace(whole, bucket=whole.bucket[kept], value=whole.value[kept])


def pack(member: Member) -> bytes:
    """A vector for storing: 6 bytes an entry."""
    return member.bucket.astype("<u4").tobytes() + member.value.astype("<f2").tobytes()


def unpack(data: bytes, size: int = 1) -> Member:
    """What :func:`pack` stored, as a group of ``size``."""
    entries = len(data) // 6
    bucket = np.frombuffer(data, "<u4", entries).astype(np.int64)
    return Member(bucket, np.frombuffer(data, "<f2", entries, 4 * entries).astype(np.float32), size)
