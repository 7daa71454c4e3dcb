"""What every connector of the registry must keep, whatever its platform."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.base import (
    AccountRef,
    Capability,
    Connector,
    ConnectorError,
    Effect,
    ErrorKind,
    Granted,
    Kind,
    Outgoing,
    PostForm,
    Problem,
    RawItem,
    Reject,
    Unparsable,
    Video,
    VideoRules,
)
from connectors.forms import Place
from connectors.registry import FORMS, connector, connectors

ROOT = Path(__file__).resolve().parents[2]
EVERY = sorted(connectors(live=False))
NOW = datetime(2026, 11, 23, tzinfo=UTC)


MISTYPED = dict.fromkeys(
    (
        "pull_every", "find_own_lag", "follow_days", "look_back", "page_size", "max_characters", "reply_length",
        "max_pictures", "picture_bytes", "description_length", "reply_times", "longest_pause",
        "post_length", "title_length", "pictures", "video_bytes", "video_pixels", "video_kept",
    ),
    "三分钟",
)  # fmt: skip


@pytest.fixture(params=EVERY)
def each(request: pytest.FixtureRequest) -> Connector:
    return connector(request.param, live=False)


@pytest.fixture
def ref(each: Connector) -> AccountRef:
    # Port 9 of this machine: nobody answers.
    secrets = {"token": "a-very-secret-token", "app_secret": "another-secret"}
    return AccountRef(1, each.platform, "临江发布", "500", "http://127.0.0.1:9", secrets, {"pull": "是"})


def chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def test_the_registry_is_whole() -> None:
    assert {"sandbox", "mastodon", "file"} <= set(EVERY) == set(FORMS)
    with pytest.raises(KeyError):
        connector("nonsense", live=False)
    for platform, made in connectors(live=True).items():
        assert made.platform == platform
        assert FORMS[platform].platform == platform
        assert FORMS[platform].label == made.label


def test_it_is_a_connector_with_the_same_signatures(each: Connector) -> None:
    assert isinstance(each, Connector)
    for name, wanted in inspect.getmembers(Connector, inspect.isfunction):
        if not name.startswith("_"):
            assert list(inspect.signature(getattr(type(each), name)).parameters) == list(
                inspect.signature(wanted).parameters
            ), name
            assert inspect.iscoroutinefunction(getattr(type(each), name)) is inspect.iscoroutinefunction(wanted), name


@pytest.mark.parametrize("platform", EVERY)
def test_forms_say_what_to_fill_in(platform: str) -> None:
    for field in FORMS[platform].fields:
        assert chinese(field.label)
        assert chinese(field.hint)
        assert field.secret is (field.place is Place.secret)
    assert chinese(FORMS[platform].note)
    assert len({f.name for f in FORMS[platform].fields}) == len(FORMS[platform].fields)


def test_every_capability_has_a_grant_and_every_refusal_a_reason(each: Connector, ref: AccountRef) -> None:
    grants = each.capabilities(ref)
    assert set(grants) == set(Capability)
    for grant in grants.values():
        assert grant.granted is Granted.yes or chinese(grant.reason)


def test_limits_and_measure_make_sense(each: Connector, ref: AccountRef) -> None:
    limits = each.limits(ref)
    assert limits.reply_length <= limits.post_length or limits.post_length == 0
    assert limits.find_own_lag >= 0
    assert limits.pull_every > 0
    assert limits.counted_at_once >= 1
    assert each.measure("") == 0
    assert each.measure("字" * 100) == 100


@pytest.mark.parametrize("text", ["", "   ", "字" * 100_000])
def test_what_cannot_go_out_is_said_beforehand(each: Connector, ref: AccountRef, text: str) -> None:
    problems = each.validate(ref, Outgoing(text, "k"))
    assert problems
    assert all(isinstance(p, Problem) and chinese(p.text) for p in problems)
    assert each.validate(ref, Outgoing("好", "k", "", Kind.mention)), "an answer needs a target"


def video(path: Path, form: PostForm) -> Video:
    """One that fits the form."""
    rules = form.video or VideoRules()
    path.write_bytes(b"\0" * 5000)
    seconds = max(rules.least_seconds, min(10.0, rules.most_seconds))
    return Video("a.mp4", rules.types[0], path, "0" * 64, 5000, seconds, 1280, 720, "说明")


async def test_a_form_with_a_video_tells_its_limits_and_brings_it_there(
    each: Connector, ref: AccountRef, tmp_path: Path
) -> None:
    for form in each.post_forms(ref):
        if form.video is None or (form.by_hand and each.platform != "manual"):
            continue
        film = video(tmp_path / "film", form)
        large, long = replace(film, size=form.video.most_bytes + 1), replace(film, seconds=form.video.most_seconds + 1)
        for wrong in (large, long, replace(film, mime="video/x-flv")):
            said = each.validate(ref, Outgoing("正文", "k", title="题", form=form.name, video=wrong))
            assert any("视频" in one.text for one in said), (form.name, said)
        if form.by_hand:
            continue
        with pytest.raises(ConnectorError) as away:
            await each.upload(ref, Outgoing("正文", "k", title="题", form=form.name, video=film), {})
        assert away.value.kind in (ErrorKind.transient, ErrorKind.auth_human, ErrorKind.permission), away.value
        assert chinese(away.value.human)


async def test_a_platform_out_of_reach_did_nothing_and_tells_no_secret(each: Connector, ref: AccountRef) -> None:
    if each.limits(ref).takes_letters or each.limits(ref).by_hand:
        pytest.skip("nothing of it is elsewhere")
    target = Outgoing("好", "k", "1", Kind.mention, "1", "2")
    calls = [
        lambda: each.publish(ref, Outgoing("好", "k")),
        lambda: each.reply(ref, target),
        *(lambda stream=stream: each.pull(ref, stream, {}) for stream in each.streams),
        *(
            (lambda: each.check(ref), lambda: each.exists(ref, "1"), lambda: each.delete(ref, "1"))
            if each.streams
            else ()
        ),
        *((lambda: each.find_own(ref, NOW, target),) if each.streams else ()),
    ]
    for call in calls:
        with pytest.raises(ConnectorError) as caught:
            await call()
        assert caught.value.effect is Effect.not_done
        assert chinese(caught.value.human)
        assert "secret" not in str(caught.value) + repr(caught.value) + repr(ref)


async def test_an_unknown_stream_or_job_is_refused(each: Connector, ref: AccountRef) -> None:
    with pytest.raises(ConnectorError) as caught:
        await each.pull(ref, "nonsense", {})
    assert caught.value.kind in (ErrorKind.bug, ErrorKind.permission)
    with pytest.raises(ConnectorError):
        await each.poll_job(ref, "nonsense")
    if not each.limits(ref).takes_letters and not each.limits(ref).by_hand:
        with pytest.raises(ConnectorError):
            await each.reply(ref, Outgoing("好", "k", "1", Kind.letter))


async def test_a_push_that_proves_nothing_is_rejected(each: Connector, ref: AccountRef) -> None:
    answer = await each.receive(ref, "POST", {}, {}, b"{}")
    assert isinstance(answer, Reject)
    assert 400 <= answer.status < 500
    assert chinese(answer.reason)


@pytest.mark.parametrize("payload", ["", "null", "[]", "1", '"x"', "{", "{}", "[" * 100_000, '{"status":{}}', "\ud800"])
@pytest.mark.parametrize("kind", list(Kind))
def test_what_it_cannot_understand_is_unparsable_in_words(
    each: Connector, ref: AccountRef, kind: Kind, payload: str
) -> None:
    with pytest.raises(Unparsable) as caught:
        each.parse(ref, RawItem(kind, "1", payload))
    assert chinese(str(caught.value))


def test_in_rehearsal_nothing_but_this_machine_is_reached_and_live_never_this_machine() -> None:
    for live, address in ((False, "http://93.184.216.34"), (True, "http://127.0.0.1:9")):
        for platform in ("sandbox", "mastodon"):
            made = connector(platform, live)
            ref = AccountRef(1, platform, "x", "1", address, {"token": "t"})
            with pytest.raises(ConnectorError) as caught:
                asyncio.run(made.publish(ref, Outgoing("好", "k")))
            assert caught.value.kind is ErrorKind.permission


def test_the_contract_costs_no_table_reader_and_no_web_framework() -> None:
    """A process that only needs connectors does not load the sandbox's server; the sandbox loads no table reader."""
    look = "import sys; import {}; print([m for m in ('starlette', 'openpyxl', 'uvicorn') if m in sys.modules])"
    for module, loaded in (
        ("connectors.sandbox.client", "[]"),
        ("connectors.mastodon.client", "[]"),
        ("connectors.weibo.client", "[]"),
        ("connectors.sandbox.server", "['starlette']"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", look.format(module)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == loaded


@pytest.mark.parametrize("platform", EVERY)
def test_a_number_typed_wrong_is_as_if_it_were_not_set(platform: str) -> None:
    each = connector(platform, live=False)
    ref, odd = (AccountRef(1, each.platform, "号", "5", "http://127.0.0.1:9", {}, given) for given in ({}, MISTYPED))
    assert each.limits(odd) == each.limits(ref)
    assert each.post_forms(odd) == each.post_forms(ref)
    assert each.validate(odd, Outgoing("文", "k")) == each.validate(ref, Outgoing("文", "k"))
