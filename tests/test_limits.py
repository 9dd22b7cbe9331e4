import pytest

from clawbench.approval import Approval
from clawbench.limits import Limits, StopRules
from clawbench.sandbox.result import Effect


def test_the_strictest_of_equal_rules_counts_and_texts_are_not_enforced() -> None:
    rules = StopRules.of(["stop when done", {"max_tool_calls": 9}, {"max_tool_calls": 5, "max_turns": 3}])
    assert rules == StopRules(max_tool_calls=5, max_turns=3)


@pytest.mark.parametrize(
    ("rules", "state", "fired"),
    [
        (StopRules(max_tool_calls=5), (4, 0, 0), None),
        (StopRules(max_tool_calls=5), (5, 0, 0), "max_tool_calls"),
        (StopRules(max_turns=2), (0, 2, 0), "max_turns"),
        (StopRules(max_same_call=2), (2, 0, 1), None),
        (StopRules(max_same_call=2), (2, 0, 2), "max_same_call"),
        (StopRules(), (40, 25, 40), None),
    ],
)
def test_a_rule_fires_on_the_call_that_would_break_it(
    rules: StopRules, state: tuple[int, int, int], fired: str | None
) -> None:
    assert rules.fired(*state) == fired


def test_the_limits_are_those_of_the_protocol() -> None:
    assert Limits().as_dict() == {
        "tool_calls": 40,
        "turns": 25,
        "completion_tokens": 16_384,
        "total_tokens": 131_072,
        "seconds": 120,
    }


def test_a_gate_is_refused_unless_the_user_grants_it_and_deny_wins() -> None:
    approval = Approval(gates=("mail.*", "slack.post"), denied=("mail.delete",), grants=("mail.draft",))
    assert approval.of_effect(Effect("mail.send")) == "refused"
    assert approval.of_effect(Effect("mail.draft")) == "done"
    assert approval.of_effect(Effect("mail.delete")) == "denied"
    assert approval.of_effect(Effect("task.create")) == "done"
    assert approval.of_tool("exec") == "done"
