"""What every command of the mock shell is: a function from an invocation to lines and an exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..state import Line, State


@dataclass(frozen=True, slots=True)
class Invocation:
    """One command about to run: its words after quoting and expansion, what is piped in, and the run's state.

    ``argv[0]`` is the command's name. ``stdin`` is ``None`` when nothing is piped or redirected in.
    """

    argv: Sequence[str]
    stdin: Sequence[Line] | None
    state: State
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed and how it ended; ``errors`` goes to standard error."""

    lines: Sequence[Line] = ()
    exit: int = 0
    errors: Sequence[str] = ()


Command = Callable[[Invocation], Output]


def failure(message: str, exit: int = 1) -> Output:
    """A command that printed ``message`` to standard error and changed nothing."""
    return Output(exit=exit, errors=(message,))
