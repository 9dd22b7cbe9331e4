import copy
import inspect

import pytest

from clawbench import errors


def _tree() -> list[type[errors.ClawbenchError]]:
    return [
        value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, errors.ClawbenchError)
    ]


def test_the_docstring_draws_the_whole_tree() -> None:
    for error in _tree():
        assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("error", _tree())
def test_an_error_owns_its_exit_status_and_code(error: type[errors.ClawbenchError]) -> None:
    raised = error.of("CODE", "a sentence", "file:3: key")
    assert raised.code == "CODE"
    assert str(raised) == "file:3: key: a sentence [CODE]"
    assert raised.exit_status in {1, 2, 3}


def test_bad_input_is_a_value_error_and_infrastructure_a_runtime_error() -> None:
    assert issubclass(errors.ScenarioInvalid, ValueError)
    assert issubclass(errors.UnknownModel, LookupError)
    assert issubclass(errors.ModelUnavailable, RuntimeError)


def test_an_error_carries_every_problem() -> None:
    raised = errors.ScenarioInvalid([errors.Problem("A", "", "one"), errors.Problem("B", "", "two")])
    assert str(raised) == "one [A]\ntwo [B]"


@pytest.mark.parametrize("error", _tree())
def test_an_error_travels_between_processes_with_its_problems(error: type[errors.ClawbenchError]) -> None:
    raised = error([errors.Problem("A", "f:1", "one"), errors.Problem("B", "", "two")])
    again = copy.copy(raised)  # by __reduce__, as processes do
    assert type(again) is error
    assert again.problems == raised.problems
