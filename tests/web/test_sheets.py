"""A file that cannot hold every row says so in its last line, whichever list it is of."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.web.conftest import Visit
from tests.web.world import World
from web.routes import matters, messages
from workflows.learning import lists
from workflows.watching import hits

FILES = [
    ("/plans/{plan_id}/hits.csv", hits, "MOST_EXPORTED"),
    ("/messages.csv", messages, "MOST"),
    ("/learning/corrections.csv", lists, "MOST_EXPORTED"),
    ("/opinion/matters.csv?all=1&order=growth", matters, "MOST_EXPORTED"),
    ("/opinion/matters/{matter_id}/messages.csv", matters, "MOST_MEMBERS"),
]


@pytest.mark.parametrize(("path", "room", "most"), FILES)
async def test_a_file_that_is_cut_says_so(
    visit: Visit, world: World, monkeypatch: pytest.MonkeyPatch, path: str, room: ModuleType, most: str
) -> None:
    address = path.format(**world.places["own"])
    async with visit("dispatcher") as client:
        whole = (await client.get(address)).text.splitlines()
        monkeypatch.setattr(room, most, 0)
        cut = (await client.get(address)).text.splitlines()
    assert len(whole) > 1, "nothing to cut"
    assert not any("还有更多" in line for line in whole)
    assert cut == [whole[0], "还有更多，这里只列出前 0 行：请缩小范围，分几次导出"]
