"""The whole language pass: messages per second and core with either segmenter, one message alone, memory; and the same
work done with stock jieba and snownlp in the same run. Every way has a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files

from bench.figures import Figure

TEXTS, STOCK_TEXTS, ALONE = 4000, 120, 200
ROUNDS = 3
MARKS = {"rjieba": 5000.0, "jieba": 1500.0}
MARK_STOCK, MARK_MB, MARK_MS = 50.0, 200.0, 3.0


def run() -> Iterator[Figure]:
    """Ours with rjieba and with jieba, stock for comparison."""
    stock = _in_child("stock")
    for name, mark in MARKS.items():
        ours = _in_child(name)
        rate, alone, mb = ours["rate"], ours["alone"], ours["mb"]
        yield Figure(f"language_{name}", round(rate), "messages/s/core", mark, round(rate / mark, 2),
                     f"whole pass over {TEXTS} messages; mark: at least")  # fmt: skip
        yield Figure(f"language_{name}_stock", round(rate), "messages/s/core", round(stock["rate"], 1),
                     round(rate / stock["rate"], 1),
                     f"stock: jieba.lcut, snownlp's sentiments and keywords; mark: {MARK_STOCK:g} times")  # fmt: skip
        yield Figure(f"language_{name}_alone", round(alone, 2), "ms", MARK_MS, round(alone / MARK_MS, 2),
                     "one message alone; mark: at most")  # fmt: skip
        yield Figure(f"language_{name}_memory", round(mb), "MB", MARK_MB, round(mb / MARK_MB, 2),
                     "the process at its highest; mark: at most")  # fmt: skip


def _in_child(kind: str) -> dict[str, float]:
    """Run one way in a process of its own; processor seconds count, so that others on the machine matter little."""
    code = f"from bench import language; language.child({kind!r})"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def child(kind: str) -> None:
    """Print rate (per processor second), alone (ms) and mb as one line of JSON."""
    texts = _texts()
    work: Callable[[Sequence[str]], object]
    if kind == "stock":
        work, texts, rounds = _stock(), texts[:STOCK_TEXTS], 1
    else:
        import nlp

        nlp.configure(fast=kind == "rjieba")
        work, rounds = nlp.analyse, ROUNDS
    work(texts[:1])
    rate = len(texts) / min(_seconds(work, texts) for _ in range(rounds))
    alone = min(_seconds(lambda some: [work([one]) for one in some], texts[:ALONE]) for _ in range(rounds))
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": rate, "alone": alone / len(texts[:ALONE]) * 1000, "mb": mb}))


def _texts() -> list[str]:
    """What the invented citizens wrote. Read here, so that the rest of the hub is not measured."""
    lines = files("web").joinpath("demo", "city", "messages.txt").read_text(encoding="utf-8").splitlines()
    said = [line.split("|")[6] for line in lines if line and not line.startswith("#")]
    return [f"{said[n % len(said)]}（第{n}次反映）" for n in range(TEXTS)]


def _stock() -> Callable[[Sequence[str]], object]:
    import jieba
    from snownlp import SnowNLP

    def work(texts: Sequence[str]) -> object:
        return [(jieba.lcut(text), SnowNLP(text).sentiments, SnowNLP(text).keywords(5)) for text in texts]

    return work


def _seconds(work: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    begun = time.process_time()
    work(texts)
    return time.process_time() - begun
