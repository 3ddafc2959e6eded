"""The documents hang together: each has its twin, leads to the others, and names what is there."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.project.documents import DOCUMENTS, EDITIONS, ENGLISH, ROOT, SUFFIX, Document, Edition, spans

every_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=repr)
every_pair = pytest.mark.parametrize("english", ENGLISH, ids=repr)
both = pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)

# --- one document -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", SUFFIX)
def test_the_readme_can_be_read_in_one_go(language: str):
    assert len(EDITIONS[language].named("README").text.splitlines()) <= 250


@every_document
def test_a_document_has_one_title_and_no_level_is_left_out(document: Document):
    levels = [level for level, _ in document.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert not [(above, below) for above, below in pairwise(levels) if below > above + 1]


@every_document
def test_every_table_has_as_many_cells_in_each_row(document: Document):
    assert not [table for table in document.tables if len({len(row) for row in table}) != 1]


@every_document
def test_only_the_example_account_is_mentioned(document: Document):
    assert set(re.findall(r"(?<!\d)\d{12,16}(?!\d)", document.text)) <= {"123456789012"}


@both
def test_the_example_account_is_mentioned(edition: Edition):
    assert any("123456789012" in document.text for document in edition.documents)


# --- files and links --------------------------------------------------------------------------------------------------


@both
def test_every_file_that_is_mentioned_exists(edition: Edition):
    mentioned = " ".join([*edition.spans, *(line for _, line in edition.commands)])
    paths = set(
        re.findall(
            r"(?<![\w/.-])(?:(?:handler|tests|events|deploy|bench|look|docs|\.ci)/[\w./-]*|[\w-]+\.(?:yaml|txt|toml|md))",
            mentioned,
        )
    )
    modules = {name.replace(".", "/") + ".py" for name in re.findall(r"python -m ([\w.]+)", mentioned)}
    assert len(paths) > 40
    assert modules
    assert not [path for path in paths | modules if not (ROOT / path).exists()]


@every_document
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(document: Document):
    for file, anchor in document.links:
        assert (ROOT / file).exists(), file
        if anchor:
            assert anchor in DOCUMENTS[file].anchors, f"{file}#{anchor}"


@every_document
def test_a_document_leads_to_its_twin_first_and_else_stays_in_its_language(document: Document):
    assert document.links[0] == (document.twin, "")
    others = [DOCUMENTS[file] for file, _ in document.links[1:] if file in DOCUMENTS]
    assert not [other for other in others if other.language != document.language]


@both
def test_every_document_can_be_reached_from_the_readme(edition: Edition):
    reached, ahead = set[str](), ["README" + SUFFIX[edition.language]]
    while ahead:
        name = ahead.pop()
        reached.add(name)
        inside = [file for file, _ in DOCUMENTS[name].links[1:] if file in DOCUMENTS]
        ahead += [file for file in inside if file not in reached]
    assert reached == {document.name for document in edition.documents}


@both
def test_every_published_file_is_linked_from_a_document(edition: Edition):
    linked = {file for document in edition.documents for file, _ in document.links}
    published = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.*") if path.suffix != ".md"}
    assert published
    assert published <= linked


# --- both languages ---------------------------------------------------------------------------------------------------


@every_document
def test_every_document_has_its_twin(document: Document):
    assert document.twin in DOCUMENTS


def without_comments(code: str) -> list[str]:
    return [re.sub(r'\s*(#.*|""".*""")$', "", line) for line in code.splitlines()]


@every_pair
def test_both_languages_have_the_same_headings(english: Document):
    assert [level for level, _ in english.headings] == [level for level, _ in DOCUMENTS[english.twin].headings]


@every_pair
def test_both_languages_have_the_same_code(english: Document):
    chinese = DOCUMENTS[english.twin]
    assert [language for language, _ in english.blocks] == [language for language, _ in chinese.blocks]
    for (language, one), (_, other) in zip(english.blocks, chinese.blocks, strict=True):
        # A block of text is a picture with words in it.
        assert language == "text" or without_comments(one) == without_comments(other)


@every_pair
def test_both_languages_have_the_same_tables(english: Document):
    chinese = DOCUMENTS[english.twin]
    assert [len(table) for table in english.tables] == [len(table) for table in chinese.tables]
    for one, other in zip(english.tables, chinese.tables, strict=True):
        for row, twin in zip(one, other, strict=True):
            assert [sorted(spans(cell)) for cell in row] == [sorted(spans(cell)) for cell in twin]


@every_pair
def test_both_languages_speak_of_the_same_names(english: Document):
    assert set(spans(english.prose)) == set(spans(DOCUMENTS[english.twin].prose))


@every_pair
def test_both_languages_lead_to_the_same_places(english: Document):
    def place(document: Document, link: tuple[str, str]) -> tuple[str, int | None]:
        """The file in English, and which of its headings is meant."""
        file, anchor = link
        target = DOCUMENTS.get(file)
        if target is None:
            return file, None
        return target.subject, target.anchors.index(anchor) if anchor else None

    chinese = DOCUMENTS[english.twin]
    one, other = ([place(document, link) for link in document.links] for document in (english, chinese))
    assert sorted(one, key=str) == sorted(other, key=str)


@every_pair
def test_the_journal_has_one_name_in_each_language(english: Document):
    def paragraphs(document: Document) -> list[str]:
        return [re.sub(r"`[^`]*`", "", text) for text in re.split(r"\n(?:[-|] |\d\. |\s*\n)", document.prose)]

    one, other = paragraphs(english), paragraphs(DOCUMENTS[english.twin])
    assert len(one) == len(other)
    for text, twin in zip(one, other, strict=True):
        assert bool(re.search(r"\bjournal", text, re.IGNORECASE)) == ("日志簿" in twin), f"{text}\n{twin}"


WORDS_NOT_OURS = {"en": r"\bmend(?:s|ed|ing)?\b|\btold\b|\bheld\b(?! to\b)", "zh": "日记|日志本|账簿|挂起"}
"""It is fixed, people are notified, and what is `held` needs a decision."""


@every_document
def test_a_document_speaks_plainly(document: Document):
    assert re.findall(WORDS_NOT_OURS[document.language], re.sub(r"`[^`\n]*`", "", document.prose)) == []
