"""The main job, by hand in a real browser: a mention typed into the sandbox is answered under it; a post goes out.

Each person sees only their own page, and the sandbox is the judge of what left the house.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from playwright.sync_api import Browser, expect

from hub import clock
from tests.browser.visit import PHONE, open_page
from tests.running import RunningDemo
from tests.sims.sandbox import Control

SignIn = Callable[[str], Any]

SAID = "锦澜花园三号楼电梯停了两天，老人下不了楼，物业说要动用维修资金，请住建部门管一管"
ANSWER = "您好，我局已督促物业抢修，三号楼电梯今晚恢复运行，维修资金使用情况将在小区公示。"
POST, ACCOUNTS = "全市公园明日起延长开放至22时，欢迎市民前往。", ("栖澜发布", "栖澜城管", "游在栖澜")
SOON = 20_000  # ms until something that another process does must be seen
ARRIVAL = 60_000  # ms until a mention that is only listed has been pulled


def sandbox_of(demo: RunningDemo) -> str:
    """The sandbox's address, as the console says it."""
    found = re.search(rf"http://127\.0\.0\.1:(?!{demo.port}\b)\d+", demo.said())
    assert found, demo.said()
    return found[0]


def test_a_mention_typed_into_the_sandbox_is_answered_under_it(
    browser: Browser, demo: RunningDemo, sign_in: SignIn
) -> None:
    sandbox = sandbox_of(demo)
    with open_page(browser, sandbox) as citizen:
        form = citizen.page.locator("form#mention")
        form.locator("[name=account]").select_option(label="栖澜发布")
        form.locator("[name=author]").fill("锦澜业主小周")
        form.locator("[name=text]").fill(f"@栖澜发布 {SAID}")
        form.locator("button").click()
        expect(citizen.page.get_by_text(SAID).first).to_be_visible()

    with open_page(browser, f"{demo.url}/search?q=维修资金", storage=sign_in("dispatch")) as desk:
        page = desk.page
        number = await_case(page, f"{demo.url}/cases?view=all&q=三号楼电梯")
        page.goto(f"{demo.url}/cases/{number}")
        facts = page.locator(".pane-aside section").filter(has=page.get_by_role("heading", name="标签与承办"))
        expect(facts).to_contain_text("市住建局")  # whether it was suggested or dispatched by the rules
        expect(facts).to_contain_text("负面")
        page.goto(f"{demo.url}/desk/{number}")
        suggested = page.get_by_role("button", name=re.compile("派给市住建局"))
        if suggested.count():
            suggested.first.click()
            page.wait_for_load_state()

    with open_page(browser, f"{demo.url}/cases/{number}", storage=sign_in("clerk")) as clerk:
        page = clerk.page
        page.get_by_role("button", name="签收", exact=True).click()
        page.locator("textarea[name=text]").fill(ANSWER)
        page.get_by_role("button", name=re.compile("^提交审核")).click()
        confirm = page.locator("[name=confirmed]")
        page.wait_for_load_state()
        if confirm.count():
            confirm.check()
            page.get_by_role("button", name=re.compile("^提交审核")).click()
        expect(page.locator(".state, .badge").filter(has_text="待审核").first).to_be_visible()

    with open_page(browser, f"{demo.url}/reviews/{number}", storage=sign_in("head"), size=PHONE) as head:
        expect(head.page.locator("main")).to_contain_text(ANSWER)
        head.page.get_by_role("button", name=re.compile("^通过并发送")).click()
        head.page.wait_for_load_state()

    judge = Control(sandbox)
    await_one(lambda: [one for one in judge.accepted() if one["text"] == ANSWER])
    with open_page(browser, sandbox) as citizen:
        thread = citizen.page.locator("article", has_text=SAID)
        expect(thread).to_contain_text(ANSWER)

    with open_page(browser, f"{demo.url}/cases/{number}", storage=sign_in("clerk")) as clerk:
        expect(clerk.page.locator("body")).to_contain_text("已答复", timeout=SOON)
    with open_page(browser, f"{demo.url}/opinion", storage=sign_in("leader"), size=PHONE) as leader:
        expect(leader.page.locator("h1")).to_contain_text("公众在说什么")


def await_case(page: Any, url: str) -> str:
    """The number of the case in a list that at first does not hold it."""
    end = time.monotonic() + ARRIVAL / 1000
    while time.monotonic() < end:
        page.goto(url)
        rows = page.locator("#case-list a.lrow-link, .rows a.lrow-link").filter(has_text="电梯停了两天")
        if rows.count():
            return str(rows.first.get_attribute("href")).split("?")[0].rsplit("/", 1)[1]
        time.sleep(0.5)
    raise AssertionError("the mention never became a case")


def await_one(look: Callable[[], list[dict[str, Any]]], seconds: float = SOON / 1000) -> dict[str, Any]:
    """The only thing found, once it is found."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            assert len(found) == 1, found
            return found[0]
        time.sleep(0.2)
    raise AssertionError("it never came")


def test_a_scheduled_post_goes_out_at_its_minute_on_three_accounts(
    browser: Browser, demo: RunningDemo, sign_in: SignIn
) -> None:
    due = next_minute(clock.local(clock.now()))
    with open_page(browser, f"{demo.url}/posts/new", storage=sign_in("press")) as press:
        page = press.page
        for box in page.locator("label.pick input:checked").all():
            box.uncheck()
        for name in ACCOUNTS:
            page.locator("label.pick", has_text=name).first.click()
        page.fill("[name=body]", POST)
        page.fill("[name=on]", f"{due:%Y-%m-%d}")
        page.fill("[name=at]", f"{due:%H:%M}")
        page.get_by_role("button", name=re.compile("^保存并送审")).click()
        page.wait_for_url(re.compile(r"/posts/\d+"))
        address = page.url.split("?")[0]

    with open_page(browser, address, storage=sign_in("review1")) as reviewer:
        reviewer.page.get_by_role("button", name=re.compile("^通过")).first.click()
        reviewer.page.locator("dialog[open] button").filter(has_text="通过").click()
        expect(reviewer.page.locator("main")).to_contain_text("待发")

    judge, planned = Control(sandbox_of(demo)), due.timestamp()
    end = planned + SOON / 1000
    out: list[dict[str, Any]] = []
    while len(out) < len(ACCOUNTS) and time.time() < end:
        time.sleep(0.5)
        out = [one for one in judge.accepted() if one["text"] == POST]
    assert len({one["account"] for one in out}) == len(out) == len(ACCOUNTS)
    assert all(0 <= one["accepted_at"] - planned <= SOON / 1000 for one in out)

    with open_page(browser, address, storage=sign_in("press")) as press:
        expect(press.page.locator("main")).to_contain_text("已发")


def next_minute(now: datetime) -> datetime:
    """The next full minute that leaves time for the review."""
    return (now + timedelta(seconds=90)).replace(second=0, microsecond=0)
