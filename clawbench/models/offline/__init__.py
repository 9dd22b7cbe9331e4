"""The embedded default model, labelled simulated: conversation, tools, seed and temperature to a reply."""

from __future__ import annotations

from collections.abc import Mapping

from clawbench.models.protocol import Reply, Request, ToolCall, Usage

from .compose import acts, compose, done
from .conversation import Attention, content_of, read_policy, read_request, read_situation, read_transcript
from .picture import picture_of
from .plan import Desk, booking, next_steps

__all__ = ["OfflineModel", "respond"]


class OfflineModel:
    """A simulated stand-in for a language model: deterministic, rule-following, never raising, always answering."""

    name = "offline"
    version = "1"
    simulated = True
    provider = ""
    settings: Mapping[str, str] = {}

    async def reply(self, request: Request) -> Reply:
        """The reply to one request; see :func:`respond`."""
        return respond(request)


def respond(request: Request) -> Reply:
    """The reply to one request; equal messages, tools, seed, temperature and turn give equal replies."""
    transcript = read_transcript(request.messages)
    situation = read_situation(transcript.system)
    policy, wanted = read_policy(situation.policy), read_request(transcript.request, situation.user)
    attention = Attention.at(request.seed, request.temperature)
    functions = [tool.get("function") for tool in request.tools]
    tools = frozenset(str(function.get("name")) for function in functions if isinstance(function, dict))
    desk = Desk(transcript, policy, wanted, situation, attention, tools)
    limit = max(request.max_tokens, 1) * 4 - 4
    errand = None if policy.dump else booking(desk)
    if policy.recites:
        errand = [], "\n".join(policy.verbatim)[:limit]
    steps, text = errand or (next_steps(desk), "")
    if not errand and not steps:
        picture = picture_of(policy, wanted, situation, attention, transcript.items)
        steps = desk.allowed(acts(picture))
        text = "" if steps else compose(picture, done(transcript), limit)
    calls = tuple(ToolCall(f"call_{request.turn}_{i}", step.tool, step.text) for i, step in enumerate(steps))
    # a token is about four characters; what matters is that equal texts count equally
    prompt = sum(len(content_of(message)) for message in request.messages) // 4
    completion = (len(text) + sum(len(call.arguments) for call in calls)) // 4
    return Reply(text, calls, Usage(prompt, completion), "calls" if calls else "stop")
