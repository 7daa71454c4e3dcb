"""``python -m nlp.training DATA [OUT] [NAME]``: train the models from the folders topics and sentiment of DATA."""

from __future__ import annotations

import sys
from pathlib import Path

from nlp.training import shipped


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    _, source, *rest = sys.argv
    target = Path(rest[0]) if rest else Path(__file__).parents[1] / "models"
    shipped.train_all(Path(source), target, _say, rest[1] if len(rest) > 1 else "")
