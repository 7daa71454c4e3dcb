"""``python -m nlp.training DATA [OUT]``: train all models from the folders ``topics`` and ``sentiment`` of DATA."""

from __future__ import annotations

import sys
from pathlib import Path

from nlp.training import shipped

if __name__ == "__main__":
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parents[1] / "models"
    shipped.train_all(Path(sys.argv[1]), target, lambda line: sys.stderr.write(line + "\n"))
