"""Judging a transcript, at once or while the run goes on."""

from __future__ import annotations

from fractions import Fraction

from .check import ANSWER, CALLS, EFFECTS, EVIDENCE, Check, Context
from .claims import false_claim
from .evidence import EvidenceLog
from .exclusive import contradiction
from .tally import CheckResult, Rubric, counted_points, share
from .transcript import Transcript
from .verdict import Verdict, printable


def judge(rubric: Rubric, transcript: Transcript) -> tuple[CheckResult, ...]:
    """The verdict of every check on a run that has ended, in the rubric's order."""
    return Progress(rubric, transcript).results()


class Progress:
    """The verdicts of a rubric on a transcript that still grows.

    Only checks whose inputs have changed are judged again, and calls are read once: looking after every step
    costs little more than judging once at the end.
    """

    __slots__ = (
        "_calls",
        "_context",
        "_earned",
        "_effects",
        "_known",
        "_log",
        "_plain",
        "_response",
        "_rubric",
        "_score",
        "_transcript",
        "_verdicts",
    )

    def __init__(self, rubric: Rubric, transcript: Transcript) -> None:
        self._rubric = rubric
        self._transcript = transcript
        self._context = Context(transcript, rubric.compat)
        self._log = EvidenceLog(rubric.evidence)
        self._plain: list[Verdict | None] = [None] * len(rubric.checks)
        self._verdicts: list[Verdict] = []
        self._earned = [0] * len(rubric.checks)
        self._response: str | None = None
        self._calls = self._effects = -1
        self._score: Fraction | None = None
        self._known: set[int] = set()

    def after_step(self) -> tuple[Fraction, tuple[str, ...]]:
        """The score if the run ended now with its latest words, and the checks that newly earn points."""
        differs = self._judge()
        score = self._score
        if score is not None and not differs:
            return score, ()
        rubric = self._rubric
        verdicts, earned = self._verdicts, self._earned
        opened = rubric.opens(earned)
        fatal = False
        for index in rubric.critical:
            fatal = fatal or not verdicts[index].passed
        score = self._score = share(0 if fatal else counted_points(rubric, earned, opened), rubric.possible)
        newly: list[str] = []
        if not fatal:
            known = self._known
            for index in rubric.order if opened else rubric.ungated:
                if earned[index] > 0 and index not in known:
                    known.add(index)
                    newly.append(rubric.checks[index].id)
        return score, tuple(newly)

    def results(self) -> tuple[CheckResult, ...]:
        """Every check's verdict on the transcript as it stands."""
        self._judge()
        return tuple(
            [
                CheckResult(
                    check.id,
                    check.type,
                    check.category,
                    check.points,
                    verdict.passed,
                    verdict.tenths,
                    verdict.reason if verdict.passed or not check.evidence else self._why_not(check, verdict),
                    check.severity,
                )
                for check, verdict in zip(self._rubric.checks, self._verdicts, strict=True)
            ]
        )

    def _why_not(self, check: Check, verdict: Verdict) -> str:
        """The reason of a failing check that has evidence: what was not said may have been read, or never seen."""
        if verdict.reason.startswith("no tool result showed"):
            return verdict.reason
        sources = self._log.sources(check.evidence)
        seen = sources or f"no tool result showed {self._log.missing(check.evidence)}"
        return printable(f"{seen}; {verdict.reason}")

    def _judge(self) -> bool:
        """Brings the verdicts up to date; true if one of them earns differently than before."""
        transcript = self._transcript
        changed = 0
        if transcript.response is not self._response:
            changed |= ANSWER
            self._response = transcript.response
        calls, effects = len(transcript.calls), len(transcript.effects)
        if calls != self._calls:
            changed |= CALLS | EVIDENCE if self._log.read(transcript.calls) else CALLS
            self._calls = calls
        if effects != self._effects:
            changed |= EFFECTS
            self._effects = effects
        if not changed:
            return False
        verdicts = self._verdicts
        rubric, plain, earned, context = self._rubric, self._plain, self._earned, self._context
        fresh = not verdicts
        differs = False
        checks = rubric.checks
        for index in rubric.order if fresh else rubric.concerned(changed):
            check = checks[index]
            verdict = plain[index]
            if verdict is None or check.reads & changed:
                if verdict is not None and verdict.passed is check.settled_by and not changed & EVIDENCE:
                    continue
                verdict = check.judge(check, transcript, context)
                if verdict.passed and check.claims:
                    verdict = _exclusive(check, verdict, transcript)
                if verdict.passed and check.acts:
                    verdict = _truthful(check, verdict, transcript)
                plain[index] = verdict
            if verdict.passed and check.evidence:
                verdict = self._with_evidence(check, verdict)
            if fresh:
                verdicts.append(verdict)
            before, verdicts[index] = verdicts[index], verdict
            if fresh or before.passed is not verdict.passed or before.tenths != verdict.tenths:
                differs = True
                earned[index] = rubric.earned(index, verdict.passed, verdict.tenths)
        return differs

    def _with_evidence(self, check: Check, verdict: Verdict) -> Verdict:
        sources = self._log.sources(check.evidence)
        if sources is not None:
            return Verdict(True, printable(f"{verdict.reason}; {sources}"), verdict.tenths)
        return _refused(f"no tool result showed {self._log.missing(check.evidence)}", verdict)


def _exclusive(check: Check, verdict: Verdict, transcript: Transcript) -> Verdict:
    answer = transcript.answer_before(check.before_turn)
    for claim in check.claims:
        other = contradiction(claim, answer.text, answer.raw)
        if other is not None:
            return _refused(f"also says {other} where only one {claim.fact} may stand", verdict)
    return verdict


def _truthful(check: Check, verdict: Verdict, transcript: Transcript) -> Verdict:
    answer = transcript.answer_before(check.before_turn)
    said = false_claim(check.acts, answer.text, transcript.effects_before(check.before_turn))
    return verdict if said is None else _refused(said, verdict)


def _refused(reason: str, verdict: Verdict) -> Verdict:
    """A verdict that would pass, refused for ``reason``."""
    return Verdict(False, printable(f"{reason}; {verdict.reason}"), None if verdict.tenths is None else 0)
