"""Every error clawbench raises on purpose, with its code and exit status.

::

    ClawbenchError
    ├── InvalidInput (ValueError)           exit 2: the caller's file, flag or pack
    │   ├── ScenarioInvalid                 a scenario file, or a check in it
    │   ├── FixtureInvalid                  a file of a scenario's fixtures
    │   ├── PackRejected                    a policy pack that breaks Open Policy Pack v1
    │   ├── TrajectoryInvalid               a file that is not a run's record
    │   ├── EpisodeInvalid                  a public episode object that cannot be read
    │   ├── UnknownModel (LookupError)      a --model that names nothing
    │   └── ModelUnusable                   a model that cannot be called from here: no key, no SDK
    └── Infrastructure (RuntimeError)       exit 3: nothing the pack did
        ├── ModelUnavailable                a provider that does not answer
        ├── BudgetSpent                     a call that a budget has no room for
        └── ReplayMiss (LookupError)        a replay asked for a turn that was never recorded

An error carries every problem of its file, so one run of a command shows them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, what it is, and what would be right.

    ``code`` is stable across releases; ``where`` reads ``file:line: key`` as far as known.
    """

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.code}]" if self.where else f"{self.message} [{self.code}]"


class ClawbenchError(Exception):
    """The root of the tree; carries at least one :class:`Problem`."""

    exit_status = 1

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[ClawbenchError], tuple[tuple[Problem, ...]]]:
        """Errors travel between processes with their problems."""
        return type(self), (self.problems,)

    @classmethod
    def of(cls, code: str, message: str, where: str = "") -> Self:
        """One problem, raised as this class."""
        return cls(Problem(code, where, message))

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code


class InvalidInput(ClawbenchError, ValueError):
    """Something the caller handed over cannot be used."""

    exit_status = 2


class ScenarioInvalid(InvalidInput):
    """A scenario file cannot be read, or says something that has no meaning."""


class FixtureInvalid(InvalidInput):
    """A fixture file is missing, too large, or not of its shape."""


class PackRejected(InvalidInput):
    """A policy pack breaks Open Policy Pack v1."""


class TrajectoryInvalid(InvalidInput):
    """A file is not the record of a run."""


class EpisodeInvalid(InvalidInput):
    """A public ClawBench episode object has not the shape of one."""


class UnknownModel(InvalidInput, LookupError):
    """No model goes by this name."""


class ModelUnusable(InvalidInput):
    """A model is known and cannot be called from here: its key or its SDK is missing."""


class Infrastructure(ClawbenchError, RuntimeError):
    """Something failed that no pack can answer for."""

    exit_status = 3


class ModelUnavailable(Infrastructure):
    """The model's provider did not answer."""


class BudgetSpent(Infrastructure):
    """A call may cost more than its budget has left."""


class ReplayMiss(Infrastructure, LookupError):
    """A replay was asked for a turn that it does not hold."""
