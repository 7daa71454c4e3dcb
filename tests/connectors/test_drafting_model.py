"""The client of a language model against a stand-in server: what it sends and refuses, what bad answers become."""

from __future__ import annotations

import json
import time

import pytest

from connectors.base import ConnectorError, ErrorKind
from connectors.drafting.client import ELSEWHERE, REHEARSAL, Endpoint, complete, is_own_network
from tests.sims.model import model_server


async def test_a_text_comes_back_with_the_models_own_name() -> None:
    async with model_server(says="<think>先想想</think>\n您好，已派人查看。\n") as model:
        said = await complete(Endpoint(model.url + "/", "qwen", key="k-123"), "起草", "路灯坏了", live=False)
    assert (said.text, said.model) == ("您好，已派人查看。", "standin-7b")
    [asked] = model.asked
    assert asked["path"] == "/v1/chat/completions"
    assert (asked["model"], asked["stream"]) == ("qwen", False)
    assert [one["content"] for one in asked["messages"]] == ["起草", "路灯坏了"]
    assert model.keys == ["Bearer k-123"]
    assert "k-123" not in repr(Endpoint(model.url, "qwen", key="k-123"))


@pytest.mark.parametrize(
    "raw",
    [b"<html>", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": null}]}', b'{"choices": "x"}',
     json.dumps({"choices": [{"message": {"content": ["a"]}}]}).encode(), b"\xff" * 50, b"[" * 100_000],
)  # fmt: skip
async def test_nonsense_is_an_error_in_words(raw: bytes) -> None:
    async with model_server(raw=raw) as model:
        with pytest.raises(ConnectorError) as caught:
            await complete(Endpoint(model.url, "m"), "t", "m", live=False)
    assert caught.value.kind is ErrorKind.protocol
    assert caught.value.human


async def test_an_empty_or_refusing_model_is_an_error() -> None:
    async with model_server(says="<think>想了很久") as model:
        with pytest.raises(ConnectorError, match="没有写出内容"):
            await complete(Endpoint(model.url, "m"), "t", "m", live=False)
        model.status = 503
        with pytest.raises(ConnectorError, match="503"):
            await complete(Endpoint(model.url, "m"), "t", "m", live=False)


async def test_a_slow_model_is_left_after_its_time() -> None:
    async with model_server(waits=30) as model:
        begun = time.monotonic()
        with pytest.raises(ConnectorError) as caught:
            await complete(Endpoint(model.url, "m", seconds=0.3), "t", "m", live=False)
    assert time.monotonic() - begun < 5
    assert caught.value.kind is ErrorKind.transient


async def test_outside_addresses_are_refused_unless_allowed() -> None:
    """Nothing is connected to: the guard speaks first."""
    for live, outside, url, why in (
        (False, True, "http://10.1.2.3/v1", REHEARSAL), (True, False, "http://93.184.216.34/v1", ELSEWHERE),
        (True, False, "http://169.254.169.254/v1", ELSEWHERE), (True, True, "http://169.254.169.254/v1", ELSEWHERE),
    ):  # fmt: skip
        with pytest.raises(ConnectorError) as caught:
            await complete(Endpoint(url, "m", outside=outside, seconds=1), "t", "m", live=live)
        assert (caught.value.kind, caught.value.human) == (ErrorKind.permission, why)


def test_the_offices_own_network_is_private_addresses_only() -> None:
    own = ("127.0.0.1", "10.0.0.8", "192.168.3.4", "172.16.9.9", "::1", "fd00::1", "::ffff:10.0.0.1")
    assert all(is_own_network(one) for one in own)
    others = ("8.8.8.8", "169.254.169.254", "0.0.0.0", "fe80::1", "2001:4860:4860::8888", "::ffff:8.8.8.8")
    assert not any(is_own_network(one) for one in others)


async def test_in_live_mode_a_model_on_this_machine_is_reached() -> None:
    async with model_server() as model:
        assert (await complete(Endpoint(model.url, "m"), "t", "m", live=True)).model == "standin-7b"
