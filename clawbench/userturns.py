"""The scripted user: what they say once the agent has answered, and what they allow from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .approval import Grant
from .patterns import Pattern, own_pattern

if TYPE_CHECKING:
    from .scenario import Scenario
    from .world import World


@dataclass(frozen=True, slots=True)
class UserTurn:
    """One thing the user says, in one world.

    Said at most ``times`` times, when an answer without a call matches ``after``; ``grant`` is what the user
    approves from then on.
    """

    after: Pattern
    say: str
    times: int = 1
    grant: Grant | None = None


def user_turns(scenario: Scenario, world: World) -> tuple[UserTurn, ...]:
    """The scripted turns of ``scenario`` rendered in ``world``; none for most scenarios."""
    if not scenario.user.turns:
        return ()
    from .render import rendering_of

    rendering = rendering_of(world)
    return tuple(
        UserTurn(
            after=own_pattern(rendering.pattern(turn.after)),
            say=rendering.text(turn.say).strip(),
            times=turn.times,
            grant=Grant(turn.grants, None if turn.to is None else own_pattern(rendering.pattern(turn.to)))
            if turn.grants
            else None,
        )
        for turn in scenario.user.turns
    )


class Conversation:
    """The user of one run: knows how often each turn was said."""

    __slots__ = ("_left", "_turns")

    def __init__(self, turns: Sequence[UserTurn]) -> None:
        self._turns = turns
        self._left = [turn.times for turn in turns]

    def reply_to(self, answer: bytes) -> UserTurn | None:
        """The first turn that fits ``answer`` and was not said too often yet; it counts as said."""
        for number, turn in enumerate(self._turns):
            if self._left[number] and turn.after.search(answer):
                self._left[number] -= 1
                return turn
        return None
