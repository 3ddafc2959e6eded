"""The words of the contract: each once, explained, and shown as its text wherever it goes."""

import ast
import json
import re
from enum import Enum
from pathlib import Path

import pytest

import handler
from handler.certificates.renewable import Kind
from handler.journal.states import State
from handler.orders.progress import Progress
from handler.outbox.cloud_event import MessageType
from handler.outcomes import FAILURES, ListFault, Outcome, Reason, Word
from handler.report.data import Need, Stage

VOCABULARIES: list[type[Enum]] = [Outcome, Reason, ListFault, Progress, Kind, State, MessageType, Stage, Need]
WORDS: list[Word] = [*Outcome, *Reason, *ListFault, *Progress]


@pytest.mark.parametrize("word", WORDS, ids=repr)
def test_a_word_is_equal_to_its_text_and_hashed_and_shown_like_it(word):
    text = word.value
    assert type(text) is str
    assert word == text
    assert text == word
    assert hash(word) == hash(text)
    assert {word: 1}[text] == {text: 1}[word] == 1
    assert (str(word), f"{word}", f"{word:s}", "{}".format(word), "%s" % word) == (text,) * 5  # noqa: UP031, UP032
    assert json.dumps({word: word}) == json.dumps({text: text})
    assert sorted([word, "~"]) == [text, "~"]


def members(vocabulary: type[Enum]) -> dict[str, tuple[object, str]]:
    """Return the value and the docstring of each member, as they stand in the source."""
    source = Path(handler.__file__).parent.joinpath(*vocabulary.__module__.split(".")[1:]).with_suffix(".py")
    (body,) = (
        node.body
        for node in ast.parse(source.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == vocabulary.__name__
    )
    found: dict[str, tuple[object, str]] = {}
    for node, then in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            doc = then.value if isinstance(then, ast.Expr) else None
            said = doc.value if isinstance(doc, ast.Constant) else ""
            found[node.targets[0].id] = ast.literal_eval(node.value), str(said)
    return found


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_member_is_explained_in_a_sentence_after_it(vocabulary):
    written = members(vocabulary)
    assert written.keys() == vocabulary.__members__.keys()
    for name, (_, said) in written.items():
        assert re.fullmatch(r"\S(.|\n)*\.", said), f"{vocabulary.__name__}.{name} is not explained: {said!r}"


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_no_member_is_another_name_for_one(vocabulary):
    values = [value for value, _ in members(vocabulary).values()]
    assert values == [member.value for member in vocabulary]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("vocabulary", [Outcome, Reason, ListFault])
def test_a_word_is_a_slug_named_after_itself(vocabulary):
    for word in vocabulary:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", word.value)
        assert word.name == word.value.upper().replace("-", "_")


def test_no_slug_stands_in_two_vocabularies():
    slugs = [word.value for word in (*Outcome, *Reason, *ListFault)]
    assert len(set(slugs)) == len(slugs)


def test_a_failure_is_what_somebody_must_be_notified_of():
    assert {"refused", "unknown", "held"} == FAILURES
