"""Every word that the code can say, for the documents to be compared with."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from handler.cloud import cas_codes
from handler.cloud.cas_codes import Meaning
from handler.command import Renew
from handler.journal.entry_kinds import ENTRIES as KINDS_OF_ENTRIES
from handler.outbox.cloud_event import MessageType
from handler.outcomes import FAILURES, ListFault, Outcome, Reason
from handler.triggers.events import command_in

ROOT = Path(__file__).resolve().parents[2]

OUTCOMES = {outcome.value for outcome in Outcome}
FAILED = {outcome.value for outcome in FAILURES}
"""Outcomes that fail a run whatever the reason."""
REASONS = {reason.value for reason in Reason}
LIST_FAULTS = {fault.value for fault in ListFault}
MESSAGE_TYPES = {type_.value for type_ in MessageType}
ENTRIES = {kind.name for kind in KINDS_OF_ENTRIES}
"""The kinds of entry in a journal."""
CAS_CODES = {
    frozenset(codes): "unknown" if meaning is Meaning.UNKNOWN else "refused"
    for meaning, codes in cas_codes._TABLE.items()
}
"""What a renewal comes to with each group of error codes."""

_WORDS = {"Outcome": Outcome, "Reason": Reason, "ListFault": ListFault}
_MODULES = {
    path.relative_to(ROOT / "handler").as_posix(): list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    for path in sorted((ROOT / "handler").rglob("*.py"))
    if path.name != "outcomes.py" and path.parent.name != "report"
}


def called(call: ast.Call) -> str:
    """The bare name of what is called, or of the first of two that may be."""
    function = call.func.body if isinstance(call.func, ast.IfExp) else call.func
    return function.attr if isinstance(function, ast.Attribute) else ""


def logged_by(nodes: list[ast.AST]) -> set[str]:
    """The names of the log lines that a module writes."""
    calls = [node for node in nodes if isinstance(node, ast.Call) and called(node) in {"info", "problem"}]
    return {str(call.args[0].value) for call in calls if call.args and isinstance(call.args[0], ast.Constant)}


LOGGED = set[str]().union(*map(logged_by, _MODULES.values()))


def hyphenated() -> dict[str, set[str]]:
    """By module, what it writes out that looks like a word of the contract."""
    found = {}
    for name, nodes in _MODULES.items():
        texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        found[name] = {text for text in texts if re.fullmatch("[a-z]+(-[a-z]+)+", text)}
    return found


def given() -> set[str]:
    """The outcomes, reasons and faults that some module gives, and does not only know."""
    return {
        _WORDS[node.value.id][node.attr].value
        for nodes in _MODULES.values()
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _WORDS
    }.union(*hyphenated().values())


def buys(event: bytes) -> bool:
    """Whether a sample event may cost money. Raises EventRefused for one that the function does not take."""
    what = command_in(event, ()).what
    return isinstance(what, Renew) and not what.dry_run
