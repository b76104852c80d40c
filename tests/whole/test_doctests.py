"""The examples in the docstrings of every module are true."""

import doctest
from importlib import import_module
from pkgutil import walk_packages

import pytest

import lstm_explain

MODULES = ["lstm_explain"] + [
    module.name for module in walk_packages(lstm_explain.__path__, "lstm_explain.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name):
    """What a docstring shows is what the reader gets."""
    module = import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert failed == 0


def test_there_are_examples_and_a_wrong_one_is_noticed():
    """The test above would also pass if nothing were found."""
    tried = sum(doctest.testmod(import_module(f"lstm_explain.{name}")).attempted for name in (
        "sequences.padding", "sequences.texts", "models.scores", "attribution.explanation",
    ))  # fmt: skip
    assert tried >= 10
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    quiet = doctest.DocTestRunner(verbose=False)
    assert quiet.run(wrong, out=lambda text: None).failed == 1
