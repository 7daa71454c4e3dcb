"""After the browser of the module before: the thread's event loop is free again."""

import asyncio


async def test_an_event_loop_runs() -> None:
    """Fails when a browser is kept open for the whole session: its loop would still be running in this thread."""
    assert await asyncio.sleep(0, "awake") == "awake"
