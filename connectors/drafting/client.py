"""One call of a chat model. Nothing leaves for another house unless the office allows it."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from connectors.addresses import is_loopback, is_public
from connectors.base import ConnectorError, ErrorKind
from connectors.http import Http

LONGEST = 20_000
MOST_TOKENS = 1_200
ELSEWHERE = "模型地址不在本机或内部网络，已拒绝连接；确需使用外部模型，请管理员打开 HUB_MODEL_OUTSIDE"
REHEARSAL = "演练模式只连接本机上的模型"
UNREADABLE = "模型返回的内容无法识别，请管理员检查模型地址和名称"
EMPTY = "模型没有写出内容"
AWAY = "模型没有回应或连接中断，请稍后再试，或自行起草"
# What some models think aloud before they answer.
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is. ``url``: up to and without ``/chat/completions``. ``seconds``: the whole call's limit."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    outside: bool = False
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Drafted:
    """What the model wrote, and its own name for itself."""

    text: str
    model: str


async def complete(endpoint: Endpoint, task: str, material: str, *, live: bool) -> Drafted:
    """Ask the model to do ``task`` with ``material`` (the caller has hidden personal data in both).

    Raises ConnectorError with one sentence for a person: refused address, time limit, an answer that is none.
    ``live`` False: only a model on this machine; True: on this machine or in the office's network, elsewhere only with
    ``outside``."""
    http = Http(live, read=endpoint.seconds, total=endpoint.seconds, judge=_judge(live, endpoint.outside))
    asked = {
        "model": endpoint.model, "temperature": 0.2, "max_tokens": MOST_TOKENS, "stream": False,
        "messages": [{"role": "system", "content": task}, {"role": "user", "content": material}],
    }  # fmt: skip
    headers = {"Content-Type": "application/json"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    body = json.dumps(asked, ensure_ascii=False).encode("utf-8", "replace")
    try:
        answer = await http.call("POST", f"{endpoint.url.rstrip('/')}/chat/completions", content=body, headers=headers)
    except ConnectorError as error:
        if error.kind is ErrorKind.transient:
            raise ConnectorError(error.kind, AWAY, code=error.code) from None
        raise
    if not answer.ok:
        raise ConnectorError(
            ErrorKind.protocol, f"模型拒绝了请求（HTTP {answer.status}）", code=f"http {answer.status}"
        )
    return _read(answer.body, endpoint)


def _read(body: bytes, endpoint: Endpoint) -> Drafted:
    try:
        said = json.loads(body)
        text, model = said["choices"][0]["message"]["content"], said.get("model") or endpoint.model
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise ConnectorError(ErrorKind.protocol, UNREADABLE, code="shape") from None
    if not isinstance(text, str) or not isinstance(model, str):
        raise ConnectorError(ErrorKind.protocol, UNREADABLE, code="shape")
    text = _THOUGHT.sub("", text).replace("\0", "").encode("utf-8", "replace").decode().strip()
    if not text:
        raise ConnectorError(ErrorKind.protocol, EMPTY, code="empty")
    return Drafted(text[:LONGEST], model.replace("\0", "")[:100])


def _judge(live: bool, outside: bool) -> Callable[[Iterable[str]], str]:
    """Why a model's addresses may not be connected to, or ""."""

    def judge(addresses: Iterable[str]) -> str:
        if not live:
            return "" if all(is_loopback(one) for one in addresses) else REHEARSAL
        allowed = all(is_own_network(one) or (outside and is_public(one)) for one in addresses)
        return "" if allowed else ELSEWHERE

    return judge


def is_own_network(text: str) -> bool:
    """This machine, or a private address of the office's network; never a link-local one, where clouds tell secrets."""
    address = ipaddress.ip_address(text.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return True
    return address.is_private and not (address.is_link_local or address.is_unspecified or address.is_reserved)


__all__ = ["Drafted", "Endpoint", "complete", "is_own_network"]
