"""The bare conversation with a client and nothing else: ``python plain.py CLIENT RUNS CONCURRENCY URL CONVERSATION``.

``CLIENT`` is ``httpx`` (one client for all) or ``openai`` (the SDK). No tools run, nothing is recorded or judged: the
floor of whoever writes the loop by hand. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

Post = Callable[[list[Any], list[Any]], Awaitable[Any]]


def httpx_post(url: str, concurrency: int) -> tuple[Post, Callable[[], Awaitable[None]]]:
    """One httpx client for all runs."""
    import httpx

    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    client = httpx.AsyncClient(limits=limits, timeout=600)

    async def post(messages: list[Any], tools: list[Any]) -> Any:
        sent = {"model": "stub", "messages": messages, "tools": tools}
        answer = await client.post(f"{url}/chat/completions", json=sent)
        return answer.json()["choices"][0]["message"]

    return post, client.aclose


def openai_post(url: str, concurrency: int) -> tuple[Post, Callable[[], Awaitable[None]]]:
    """The SDK as it comes."""
    import openai

    client = openai.AsyncOpenAI(base_url=url, api_key="none", timeout=600)

    async def post(messages: list[Any], tools: list[Any]) -> Any:
        answer = await client.chat.completions.create(model="stub", messages=messages, tools=tools)
        return answer.choices[0].message

    return post, client.close


async def main(kind: str, runs: int, concurrency: int, url: str, file: str) -> None:
    """Says every run's turns and measures."""
    with open(file, "rb") as opened:
        conversation = json.load(opened)
    post, close = {"httpx": httpx_post, "openai": openai_post}[kind](url, concurrency)
    places = asyncio.Semaphore(concurrency)

    async def run() -> None:
        async with places:
            for turn in conversation["turns"]:
                await post(conversation["messages"][:turn], conversation["tools"])

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(run() for _ in range(runs)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mb": peak, "calls": runs * len(conversation["turns"])}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]))
