"""The rooms of the tests keep apart: what a test costs shows in the folder in which it stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, and what it imports from one."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", ["unit", "function", "promise", "project", "stubs"])
def test_no_test_file_is_imported(room: str):
    for path in (TESTS / room).rglob("*.py"):
        tests = [name for name in imported(path) if name.startswith("tests.") and ".test_" in name]
        assert not tests, f"{path.name} imports {tests}"


def test_no_unit_starts_the_cloud():
    for path in (TESTS / "unit").rglob("*.py"):
        started = [name for name in imported(path) if name in {"tests.deployed", "tests.stubs.cloud"}]
        assert not started, f"{path.name} imports {started}: it belongs in tests/function"


@pytest.mark.parametrize("room", ["unit", "function", "promise", "project", "stubs"])
def test_every_room_says_what_it_is_for(room: str):
    assert ast.get_docstring(ast.parse((TESTS / room / "__init__.py").read_text("utf-8")))
