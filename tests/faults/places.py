"""Where a validator writes to its disk, starts a program or speaks to a network without naming a point there itself.

Every other function of its modules that does is around points of its own (:mod:`~tests.faults.writing` finds them).
"""

from __future__ import annotations

AROUND: dict[str, tuple[str, ...]] = {
    "clawbench/bench.py:Bench.results": ("bench.folders", "run.begun"),  # an empty times.jsonl
    "clawbench/bench.py:Bench._record_time": ("bench.run.named", "run.ended"),
    "clawbench/keeping.py:folder_synced": ("bench.run.synced", "bench.run.named"),
    "clawbench/trajectory.py:TrajectoryWriter.__init__": ("run.begun", "bench.run.opened"),
    "clawbench/trajectory.py:BlobStore.put": ("bench.folders", "bench.blob.written"),
    "clawbench/models/metered.py:MeteredModel._book": ("model.reply.after", "model.reply.before"),  # with a budget
    # A worker of the sandbox: it is handed text and changes nothing; a run that dies with it is made again.
    "clawbench/sandbox/shell/jq_process.py:JqProcess.__init__": ("model.reply.after", "model.reply.before"),
    "clawbench/sandbox/shell/jq_process.py:JqProcess._start": ("model.reply.after", "model.reply.before"),
    "clawbench/sandbox/shell/_jq_worker.py:serve": ("model.reply.after", "model.reply.before"),
    # Chains are called through ReachedChain, models through ReachedModel.
    "trajectoryrl/chain/localclient.py:LocalClient._call": ("chain.head.before", "chain.head.after"),
    "trajectoryrl/durable.py:file_kept": (
        "archive.write.before",
        "archive.write.part",
        "control.before",
        "control.part",
    ),
    "trajectoryrl/durable.py:folder_made": ("archive.write.before", "archive.write.part", "publish.copy.before"),
    "trajectoryrl/operating.py:operated": ("ledger.open.before",),  # a sync of the system before anything else
    "trajectoryrl/github.py:Witness.__init__": ("forge.ask.before", "forge.ask.after"),  # clients; `_once` asks
    "trajectoryrl/gitprocess.py:GitProcess.started": ("git.run.before", "git.run.started"),
    "trajectoryrl/gitprocess.py:_bubblewrap": ("git.run.before", "git.run.started"),  # once: does it work here?
    "trajectoryrl/ledger.py:_locked": ("ledger.open.before", "ledger.open.after"),
    "trajectoryrl/rounds.py:_Rounds._control": ("bench.failed.named", "control.before"),  # what began too early goes
    "trajectoryrl/record.py:seal": ("record.manifest", "record.sealed"),
    "trajectoryrl/record.py:_trajectories": ("record.begun", "record.trajectories"),
    "trajectoryrl/durable.py:tree_synced": (
        "record.sealed",
        "record.synced",
        "publish.copy.part",
        "publish.copy.after",
    ),
    "trajectoryrl/archive.py:Archive.keep_only": ("retention.ledger", "retention.after"),
    "trajectoryrl/records.py:Records.__call__": ("ledger.weights.after", "record.begun"),  # the folder of records
    "trajectoryrl/retention.py:_records_gone": ("retention.before", "retention.folders"),
    "trajectoryrl/retention.py:_runs_gone": ("retention.before", "retention.folders"),
    "trajectoryrl/repository.py:_Git._make": ("git.folder", "git.run.before"),
    "trajectoryrl/repository.py:_Git.forget_remote": ("git.read.before", "git.read.after"),
    "trajectoryrl/logs.py:configure": ("log.line.before", "log.line.after"),  # opens the file, empty at first
}
"""Functions whose callers name the points before and after."""

ELSEWHERE: dict[str, str] = {
    "clawbench/archive.py": "`clawbench` packs an author's bench; a record is packed by record.py",
    "clawbench/console.py": "the standard output of a command whose reader went away",
    "clawbench/models/cached.py": "`clawbench run --cache`",
    "clawbench/models/cassette.py": "`clawbench run --record`",
    "clawbench/packbuild.py": "`clawbench pack build`",
    "clawbench/starters.py": "`clawbench init`",
    "trajectoryrl/chain/keys.py": "`trajectoryrl localnet` makes keys; a validator reads them",
    "trajectoryrl/chain/local.py": "the chain itself: what is outside, in a file",
    "trajectoryrl/cli/audit.py": "a command of an auditor",
    "trajectoryrl/cli/miner.py": "a command of a miner",
    "trajectoryrl/cli/replay.py": "a command of an auditor",
    "trajectoryrl/cli/tournament.py": "a command of one machine",
    "trajectoryrl/doctor.py": "asks git for its version; read-only",
    "trajectoryrl/fetching.py": "an auditor downloads somebody's record",
    "trajectoryrl/forecast.py": "before the first epoch; a folder for temporary files, of which nothing is kept",
    "trajectoryrl/forge.py": "the forge itself: what is outside",
    "trajectoryrl/localnet.py": "makes the network of one machine",
    "trajectoryrl/localtournament.py": "plays the network of one machine",
    "trajectoryrl/miner.py": "a miner's pack",
    "trajectoryrl/protocoldoc.py": "`make protocol`",
}
"""Modules that no epoch goes through, and why not. ``publishing.py`` serves records and writes nothing."""
