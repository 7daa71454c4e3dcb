"""500 monitoring plans over the invented citizens' messages, against the plain way: every word of every plan looked for
one by one."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from bench import ground
from bench.figures import Figure
from nlp.base import Text
from nlp.plans import Rule, every_word, form, from_classes, holds, stands_free, without
from nlp.watch import Matcher

PLANS, MESSAGES, PLAIN = 500, 20_000, 200
DAY, DAILY, PEAK = 86_400, 200_000, 20
MARK = 2000


def run() -> Iterator[Figure]:
    """Messages per second and core, folding of the texts included; how long compiling takes."""
    texts = [Text(text) for text in ground.texts(MESSAGES)]
    rules = _rules(texts)
    begun = time.process_time()
    matcher = Matcher(rules)
    compiled = time.process_time() - begun
    ours, found = _rate(texts, lambda text: len(matcher.match(text)))
    plain, plainly = _rate(texts[:PLAIN], lambda text: _plain(rules, text))
    assert plainly == sum(len(matcher.match(text)) for text in texts[:PLAIN])
    words = len({word.form for rule in rules.values() for word in every_word(rule)})
    yield Figure("plans", round(ours), "messages/s", round(plain), round(ours / plain, 1),
                 f"{PLANS} plans, {words} words, {found / MESSAGES:.2f} hits a message, against word by word; "
                 f"mark ≥ {MARK}/s")  # fmt: skip
    yield Figure("plans_day", round(DAILY / ours, 1), "s", DAY / PEAK, round(DAILY / ours / (DAY / PEAK), 5),
                 f"one core for {DAILY} messages, within a twentieth of a day")  # fmt: skip
    yield Figure("plans_compile", round(1000 * compiled), "ms", 2000, round(compiled / 2, 3), "after each change")


def _rules(texts: list[Text]) -> dict[int, Rule]:
    """Plans as offices write them: places, subjects and events of a few words each, some stop words; half of the words
    are cut from the messages themselves, so that there is something to hit."""
    dice = random.Random(11)
    said = [form(text.body) for text in texts[:200]]

    def words(most: int) -> list[str]:
        return [_word(dice, said) for _ in range(dice.randint(1, most))]

    rules = {}
    for number in range(PLANS):
        asked = from_classes([words(6) if dice.random() < 0.7 else [], words(8), [], words(8)])
        assert asked is not None
        rules[number] = without(asked, from_classes([words(3)]))
    return rules


def _word(dice: random.Random, said: list[str]) -> str:
    if dice.random() < 0.5:
        text = dice.choice([one for one in said if len(one) > 8])
        start = dice.randrange(len(text) - 4)
        cut = "".join(one for one in text[start : start + dice.randint(2, 4)] if one.isalnum())
        if len(cut) > 1:
            return cut
    return "".join(chr(dice.randrange(0x4E00, 0x9FA5)) for _ in range(dice.randint(2, 4)))


def _rate(texts: list[Text], work: object) -> tuple[float, int]:
    assert callable(work)
    begun = time.process_time()
    found = sum(work(text) for text in texts)
    return len(texts) / (time.process_time() - begun), found


def _plain(rules: dict[int, Rule], text: Text) -> int:
    whole = form(text.body)

    def stands(wanted: str) -> bool:
        at = whole.find(wanted)
        while at >= 0:
            if stands_free(whole, at, at + len(wanted)):
                return True
            at = whole.find(wanted, at + 1)
        return False

    return sum(holds(rule, stands) for rule in rules.values())
