"""Runs a parsed program over a run's state. A command is a function or unknown; nothing starts a process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from clawbench.sandbox.state import Line, State

from . import files
from .command import Command, Output
from .expand import Expander, Unusable
from .limits import MAX_OUTPUT, TRUNCATED, Exhausted, Meter
from .parse import parse
from .special import SPECIAL, Leave, LoopLeft, Streams
from .streams import Call, Nowhere, Sink, Source, lines_of, records_of, sourced, text_of
from .syntax import Chain, For, Group, If, Pipeline, Program, Redirect, Script, Simple, While
from .syntax import Command as Node
from .table import COMMANDS
from .words import HOME


@dataclass(frozen=True, slots=True)
class ShellResult:
    """What the agent sees of one call, output and errors as a terminal mixes them, and the exit code."""

    lines: tuple[Line, ...]
    exit: int


def run(command: str, state: State, commands: Mapping[str, Command]) -> ShellResult:
    """Runs one command text; total: every text gives a result, bad syntax exit 2 with nothing run.

    ``commands`` are the programs there are besides the shell's own; what is in neither exits with 127. Raises
    :class:`clawbench.errors.Infrastructure` only if the worker for jq cannot be started on this machine.
    """
    program = parse(command)
    if program.problem:
        return ShellResult((Line(program.problem),), 2)
    meter = Meter()
    screen = Sink(meter)
    shell = Shell(program, state, commands, meter)
    try:
        shell.script(program.script, Streams(None, screen, screen))
    except Leave as leave:
        shell.status = leave.status
    except LoopLeft:
        pass
    except Exhausted as reason:
        screen.lines.append(Line(str(reason)))
        shell.status = 1
    if state.scratch:
        files.settle(state)
    return ShellResult(_capped(screen.lines), shell.status)


def _capped(lines: Sequence[Line]) -> tuple[Line, ...]:
    if sum([len(line.text) for line in lines]) + len(lines) <= MAX_OUTPUT:
        return tuple(lines)
    room = MAX_OUTPUT - len(TRUNCATED) - 1
    kept: list[Line] = []
    for line in lines:
        room -= len(line.text) + 1
        if room < 0:
            cut = line.text[: max(0, len(line.text) + room)]
            if cut:
                kept.append(Line(cut, line.records, True))
            break
        kept.append(line)
    kept.append(Line(TRUNCATED))
    return tuple(kept)


class Shell(Expander):
    """One shell, or subshell: its variables and status. What it costs and changes is its parent's too."""

    __slots__ = ("commands", "errexit", "guarded", "pipefail", "program", "state", "streams")

    def __init__(self, program: Program, state: State, commands: Mapping[str, Command], meter: Meter) -> None:
        super().__init__({"HOME": HOME, "PWD": HOME}, meter)
        self.program = program
        self.state = state
        self.commands = commands
        self.errexit = self.pipefail = False
        self.guarded = 0
        self.streams: Streams | None = None

    def fork(self) -> Shell:
        """A subshell: it starts with this one's variables and keeps its changes to itself."""
        child = Shell(self.program, self.state, self.commands, self.meter)
        child.variables.update(self.variables)
        child.status, child.strict = self.status, self.strict
        child.errexit, child.pipefail, child.guarded = self.errexit, self.pipefail, self.guarded
        return child

    def subshell(self, node: Node | Script, streams: Streams) -> int:
        """Runs a node in a subshell; returns its status."""
        child = self.fork()
        try:
            if isinstance(node, Script):
                child.script(node, streams)
            else:
                child.status = child.command(node, streams)
        except Leave as leave:
            return leave.status
        except LoopLeft:
            pass
        return child.status

    def substitute(self, script: Script) -> str:
        """The output of ``$(script)``, trailing newlines removed, remembering its records."""
        sink = Sink(self.meter)
        streams = self.streams
        errors = streams.err if streams else Nowhere(self.meter)
        self.status = self.subshell(script, Streams(None, sink, errors))
        self.streams = streams
        return sourced(text_of(sink.written()).rstrip("\n"), records_of(sink.lines))

    def script(self, script: Script, streams: Streams) -> None:
        """Runs chains one after the other."""
        for chain in script.chains:
            self.chain(chain, streams)

    def chain(self, chain: Chain, streams: Streams) -> None:
        """Runs pipelines as ``&&`` and ``||`` tell."""
        last = len(chain.links) - 1
        for number, (operator, pipeline) in enumerate(chain.links):
            if operator and (operator == "&&") != (self.status == 0):
                continue
            guarded = number < last or pipeline.negated
            self.guarded += guarded
            try:
                self.status = self.pipeline(pipeline, streams)
            finally:
                self.guarded -= guarded
            if self.errexit and self.status and not guarded and not self.guarded:
                raise Leave(self.status)

    def pipeline(self, pipeline: Pipeline, streams: Streams) -> int:
        """Runs the stages, each one's output being the next one's input; returns the status."""
        if len(pipeline.stages) == 1:
            status = self.command(pipeline.stages[0], streams)
        else:
            status, failed, source, feed = 0, 0, streams.stdin, streams.feed
            last = len(pipeline.stages) - 1
            for number, stage in enumerate(pipeline.stages):
                out = streams.out if number == last else Sink(self.meter)
                inner = Streams(source, out, out if pipeline.merged[number] else streams.err, feed)
                if isinstance(stage, Simple) and stage.plain and stage.plain[0] not in SPECIAL:
                    status = self.invoked(stage.plain, inner, self.variables)
                else:
                    status = self.subshell(stage, inner)
                failed = status or failed
                source, feed = Source(out.written()), None
            if self.pipefail:
                status = failed
        return int(not status) if pipeline.negated else status

    def command(self, node: Node, streams: Streams) -> int:
        """Runs one simple or compound command; returns its status."""
        if isinstance(node, Simple):
            if node.plain:
                return self.called(node.plain, streams, self.variables)
            return self.simple(node, streams)
        if node.redirects:
            self.streams = streams
            try:
                redirected = self.redirected(node.redirects, streams)
            except Unusable as problem:
                streams.err.write([Line(f"sh: {problem}")])
                raise Leave(1) from None
            if redirected is None:
                return 1
            streams = redirected
        if isinstance(node, Group):
            if node.own:
                return self.subshell(node.body, streams)
            self.script(node.body, streams)
            return self.status
        if isinstance(node, For):
            return self.for_each(node, streams)
        if isinstance(node, While):
            return self.while_true(node, streams)
        return self.branch(node, streams)

    def branch(self, node: If, streams: Streams) -> int:
        """Runs the first branch whose condition succeeds."""
        for condition, body in node.branches:
            if self.holds(condition, streams):
                self.status = 0
                self.script(body, streams)
                return self.status
        self.status = 0
        if node.otherwise:
            self.script(node.otherwise, streams)
        return self.status

    def holds(self, condition: Script, streams: Streams) -> bool:
        """Whether a condition succeeds; its failing parts don't count for ``set -e``."""
        self.guarded += 1
        try:
            self.script(condition, streams)
        finally:
            self.guarded -= 1
        return self.status == 0

    def for_each(self, node: For, streams: Streams) -> int:
        """Runs the body once for each field."""
        self.streams = streams
        try:
            fields = self.arguments(node.words)
        except Unusable as problem:
            streams.err.write([Line(f"sh: {problem}")])
            raise Leave(1) from None
        self.status = 0
        for field in fields:
            self.meter.loop()
            self.variables[node.name] = field
            if not self.turn(node.body, streams):
                break
        return self.status

    def while_true(self, node: While, streams: Streams) -> int:
        """Runs the body as long as the condition succeeds."""
        inner = Streams(None, streams.out, streams.err, streams.stdin or streams.feed)
        status = 0
        while self.holds(node.condition, inner) != node.until:
            self.meter.loop()
            going = self.turn(node.body, inner)
            status = self.status
            if not going:
                break
        return status

    def turn(self, body: Script, streams: Streams) -> bool:
        """One turn of a loop; false if it was the last because of ``break``."""
        try:
            self.script(body, streams)
        except LoopLeft as left:
            self.status = 0
            if left.levels > 1:
                raise LoopLeft(left.levels - 1, left.on) from None
            return left.on
        return True

    def simple(self, node: Simple, streams: Streams) -> int:
        """Expands a simple command, opens its files, and calls it."""
        self.streams = streams
        try:
            before = self.status
            argv: Sequence[str] = self.arguments(node.words)
            if not argv:
                self.status = 0
            values: dict[str, str] = {}
            for name, value in node.assignments:
                values[name] = self.text(value)
                if not argv:
                    self.variables[name] = values[name]
            substituted, self.status = self.status, before
            if node.redirects:
                redirected = self.redirected(node.redirects, streams)
                if redirected is None:
                    return 1
                streams = redirected
        except Unusable as problem:
            self.meter.command()
            streams.err.write([Line(f"sh: {problem}")])
            raise Leave(1) from None
        if argv and values and argv[0] in SPECIAL:
            return self.lent(argv, streams, values)
        if argv:
            return self.called(argv, streams, {**self.variables, **values} if values else self.variables)
        self.meter.command()
        self.meter.spend(sum(map(len, values.values())))
        return substituted

    def lent(self, argv: Sequence[str], streams: Streams, values: Mapping[str, str]) -> int:
        """Calls a special command with variables for this call alone: ``IFS=, read a b``."""
        before = {name: self.variables.get(name) for name in values}
        self.variables.update(values)
        try:
            return self.called(argv, streams, self.variables)
        finally:
            for name, value in before.items():
                if value is None:
                    self.variables.pop(name, None)
                else:
                    self.variables[name] = value

    def called(self, argv: Sequence[str], streams: Streams, variables: Mapping[str, str]) -> int:
        """Calls a command by its name."""
        special = SPECIAL.get(argv[0])
        if special is None:
            return self.invoked(argv, streams, variables)
        self.meter.command()
        return special(self, argv, streams)

    def invoked(self, argv: Sequence[str], streams: Streams, variables: Mapping[str, str]) -> int:
        """Calls a function that knows nothing of the shell, and passes on what it printed."""
        self.meter.command()
        name = argv[0]
        own = COMMANDS.get(name)
        other = None if own else self.commands.get(name)
        if own is None and other is None:
            streams.err.write(lines_of(f"sh: {name[:200]}: command not found\n"))
            return 127
        source = streams.stdin
        call = Call(argv, None if source is None else source.rest(), self.state, variables, self.meter)
        output: Output = own(call) if own else other(call) if other else Output()
        if other and any("\n" in line.text for line in output.lines):
            output = replace(output, lines=_split(output.lines))
        streams.out.write(output.lines)
        for error in output.errors:
            streams.err.write(lines_of(error + "\n"))
        return output.exit & 255

    def redirected(self, redirects: Sequence[Redirect], streams: Streams) -> Streams | None:
        """The streams after redirections, applied from left to right; None if a file can't be used."""
        stdin, out, err = streams.stdin, streams.out, streams.err
        for redirect in redirects:
            if isinstance(redirect.target, int):
                stdin = Source(lines_of_word(self.text(self.program.bodies[redirect.target])))
                continue
            word = self.text(redirect.target)
            if redirect.operator == "<<<":
                stdin = Source(lines_of_word(word) or [Line("")])
                continue
            if redirect.operator == "<":
                found = () if word == "/dev/null" else files.contents(self.state, files.key_of(word, self.variables))
                if found is None:
                    err.write(lines_of(f"sh: {word[:200]}: {files.complaint(self.state, word, self.variables)}\n"))
                    return None
                stdin = Source(found)
                continue
            if redirect.operator == ">&":
                sink = out if word == "1" else err
            else:
                opened = self.opened(word, redirect.operator.endswith(">>"), streams)
                if isinstance(opened, str):
                    err.write(lines_of(f"sh: {word[:200]}: {opened}\n"))
                    return None
                sink = opened
            if redirect.fd == 1:
                out = sink
            if redirect.fd == 2 or redirect.operator in ("&>", "&>>"):
                err = sink
        return Streams(stdin, out, err, streams.feed)

    def opened(self, path: str, append: bool, streams: Streams) -> Sink | str:
        """Where output to a path goes, or why it can't."""
        if path == "/dev/null":
            return Nowhere(self.meter)
        if path in ("/dev/stdout", "/dev/stderr"):
            return streams.out if path == "/dev/stdout" else streams.err
        lines = files.opened(self.state, path, self.variables, append)
        return lines if isinstance(lines, str) else Sink(self.meter, lines)


def lines_of_word(word: str) -> list[Line]:
    """A here-document's or here-string's lines, which carry the records of what was expanded into it."""
    records = getattr(word, "records", ())
    text = str(word)
    return lines_of(text if text.endswith("\n") else text + "\n", records) if text else []


def _split(lines: Sequence[Line]) -> list[Line]:
    return [replace(line, text=text) for line in lines for text in line.text.split("\n")]
