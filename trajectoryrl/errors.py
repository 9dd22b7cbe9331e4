"""Every error trajectoryrl raises on purpose; each is also one of clawbench's.

::

    ClawbenchError
    ├── InvalidInput (ValueError)           exit 2
    │   ├── ParametersInvalid               a protocol.toml that cannot be used
    │   ├── CommitmentInvalid               a commitment's text that says nothing, or too much
    │   ├── RepositoryRejected              a repository that its owner made unusable
    │   └── RecordInvalid                   a record that cannot be read at all
    └── Infrastructure (RuntimeError)       exit 3
        ├── RepositoryUnavailable           a repository that could not be read, by nobody's fault
        ├── RecordUnavailable               a record that could not be fetched from where it is published
        ├── LedgerUnusable                  the validator's own journal cannot be opened or written
        └── ChainUnavailable                the chain did not answer in time, or not at all
            └── ChainRefused                the chain answered, and said no

What a miner did wrong is no exception: it is a :class:`~trajectoryrl.entry.Rejection`, a value.
"""

from __future__ import annotations

from clawbench.errors import ClawbenchError, Infrastructure, InvalidInput, Problem

__all__ = [
    "ChainRefused",
    "ChainUnavailable",
    "ClawbenchError",
    "CommitmentInvalid",
    "Infrastructure",
    "InvalidInput",
    "LedgerUnusable",
    "ParametersInvalid",
    "Problem",
    "RecordInvalid",
    "RecordUnavailable",
    "RepositoryRejected",
    "RepositoryUnavailable",
]


class ParametersInvalid(InvalidInput):
    """A parameter is missing, unknown, or out of its range."""


class CommitmentInvalid(InvalidInput):
    """A commitment's text names no repository, commit and hash."""


class RecordInvalid(InvalidInput):
    """A folder is not the record of an epoch."""


class ChainUnavailable(Infrastructure):
    """The chain did not answer in time, or refused for a reason that is not ours."""


class ChainRefused(ChainUnavailable):
    """The chain answered and said no: rate limit, registration, permit, version key."""


class LedgerUnusable(Infrastructure):
    """The journal of a validator cannot be opened, read or written."""


class RepositoryRejected(InvalidInput):
    """A repository, commit or file that its owner made unusable."""


class RepositoryUnavailable(Infrastructure):
    """A repository that could not be read now; nobody's fault until it lasts."""


class RecordUnavailable(Infrastructure):
    """A record could not be fetched: its server did not answer, or not as one should."""
