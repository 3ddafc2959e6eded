"""The documents, read: what the tests of the documentation look for in them."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from functools import cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
SUFFIX = {"en": ".md", "zh": ".zh-CN.md"}

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


class Document:
    """One document in one language."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.language = "zh" if path.name.endswith(SUFFIX["zh"]) else "en"
        self.text = path.read_text(encoding="utf-8")

    def __repr__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The name that it shares with its twin."""
        return self.name.removesuffix(SUFFIX[self.language])

    @property
    def twin(self) -> str:
        """The name of the same document in the other language."""
        return self.subject + SUFFIX["en" if self.language == "zh" else "zh"]

    @cached_property
    def blocks(self) -> list[tuple[str, str]]:
        """Language and body of every code block."""
        return _FENCE.findall(self.text)

    def blocks_in(self, language: str) -> list[str]:
        return [body for name, body in self.blocks if name == language]

    @cached_property
    def prose(self) -> str:
        """Everything but the code blocks."""
        return _FENCE.sub("", self.text)

    @cached_property
    def tables(self) -> list[list[list[str]]]:
        """Every table, as rows of cells, without its head."""
        return [
            [[cell.strip() for cell in re.split(r"(?<!\\)\|", line[1:-1])] for line in table.splitlines()[2:]]
            for table in _TABLE.findall(self.prose)
        ]

    @cached_property
    def headings(self) -> list[tuple[int, str]]:
        """Level and title of each heading."""
        return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.+)$", self.prose, re.MULTILINE)]

    @cached_property
    def anchors(self) -> list[str]:
        """The anchor that GitHub gives each heading."""
        found, seen = [], Counter[str]()
        for _, title in self.headings:
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            found.append(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1
        return found

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """Every link within the repository: the file that it leads to, from the root, and the anchor."""
        return [self._target(link) for link in _LINK.findall(self.prose) if not re.match(r"\w+:", link)]

    def _target(self, link: str) -> tuple[str, str]:
        file, _, anchor = link.partition("#")
        parts: list[str] = []
        for part in PurePosixPath(self.name).parent.joinpath(file).parts:
            # `..` above the root leads nowhere, and stays in the name.
            parts = parts[:-1] if part == ".." and parts else [*parts, part]
        return ("/".join(parts) if file else self.name), anchor

    @cached_property
    def commands(self) -> list[tuple[list[str], str]]:
        """Every line of a shell block: its words, and the line with its comment."""
        lines = [line for block in self.blocks_in("sh") for line in block.splitlines() if line.strip()]
        return [(shlex.split(line, comments=True), line) for line in lines]


def spans(text: str) -> list[str]:
    """What is set in code within a line."""
    return re.findall(r"`([^`\n]+)`", text)


DOCUMENTS = {
    document.name: document for document in map(Document, sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]))
}
"""Every document, by its name from the root."""
ENGLISH = [document for document in DOCUMENTS.values() if document.language == "en"]


class Edition:
    """All documents of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.documents = [document for document in DOCUMENTS.values() if document.language == language]

    def named(self, subject: str) -> Document:
        """A document, by the name that it shares with its twin."""
        return DOCUMENTS[subject + SUFFIX[self.language]]

    @cached_property
    def tables(self) -> list[list[list[str]]]:
        return [table for document in self.documents for table in document.tables]

    def table_with(self, key: str) -> list[list[str]]:
        """The one table that has this key in its first column, wherever it stands."""
        (table,) = [table for table in self.tables if any(key in spans(row[0]) for row in table)]
        return table

    @cached_property
    def spans(self) -> list[str]:
        """All that is set in code in a line."""
        return [span for document in self.documents for span in spans(document.prose)]

    def blocks_in(self, language: str) -> list[str]:
        return [block for document in self.documents for block in document.blocks_in(language)]

    @cached_property
    def commands(self) -> list[tuple[list[str], str]]:
        return [command for document in self.documents for command in document.commands]


EDITIONS = {language: Edition(language) for language in SUFFIX}


def keys_of(table: list[list[str]]) -> list[str]:
    """All that is set in code in a table's first column."""
    return [key for row in table for key in spans(row[0])]
