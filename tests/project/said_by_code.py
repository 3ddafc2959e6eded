"""Every word that the code can say, found by looking through it, for the documents to be compared with."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from handler.cloud import cas_codes
from handler.cloud.cas_codes import Meaning
from handler.command import Renew
from handler.journal import work
from handler.orders.policy import CHECKS
from handler.outbox import messages
from handler.result import FAILURES, Outcome
from handler.triggers.events import understand

ROOT = Path(__file__).resolve().parents[2]
HANDLER = {
    path.relative_to(ROOT / "handler").as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "handler").rglob("*.py"))
    if path.parent.name != "report"
}
SLUG = re.compile(r"[a-z]+(-[a-z]+)*")
REASON_AT = {
    "of_order": 2,
    "of_work": 2,
    "_not_bought": 2,
    "OrderResult": 1,
    "Hold": 0,
    "Later": 0,
    "Refusal": 0,
    "PublishFailed": 0,
}
"""Which argument of these is a reason; of the exceptions that speak for CAS it is the first."""
MODULES_WITH_REASONS = (
    "run/run.py",
    "run/renew.py",
    "orders/decision.py",
    "orders/purchase.py",
    "run/recover.py",
    "orders/selection.py",
    "orders/settle.py",
    "run/by_hand.py",
    "cloud/cas.py",
)


def called(call: ast.Call) -> str:
    """The bare name of what is called."""
    function = call.func.body if isinstance(call.func, ast.IfExp) else call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def texts_in(node: ast.AST | None, names: dict[str, set[str]]) -> set[str]:
    """The texts that an expression may be: itself, what its name stands for, or any side of a choice."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.Name(id=name):
            return names.get(name, set())
        case ast.IfExp(body=one, orelse=other):
            return texts_in(one, names) | texts_in(other, names)
        case ast.BoolOp(values=values):
            return set[str]().union(*(texts_in(value, names) for value in values))
    return set()


def named(tree: ast.Module) -> dict[str, set[str]]:
    """The texts that are assigned to each name, anywhere in a module."""
    names: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names.setdefault(node.targets[0].id, set()).update(texts_in(node.value, {}))
    return names


def reasons_of(tree: ast.Module) -> set[str]:
    """The reasons that a module gives."""
    names, found = named(tree), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            found |= texts_in(node.value.elts[1], names)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
            found |= {text for text in texts_in(node.value, {}) if "-" in text}
        elif isinstance(node, ast.ClassDef):  # an exception that has its reason with it
            found |= named(ast.Module(node.body, [])).get("reason", set())
        elif isinstance(node, ast.Call):
            at = 0 if re.fullmatch(r"Cas[A-Z]\w+", called(node)) else REASON_AT.get(called(node))
            if at is not None:
                given = [*node.args[at : at + 1], *(word.value for word in node.keywords if word.arg == "reason")]
                found |= set[str]().union(*(texts_in(one, names) for one in given))
            holds = [word.value for word in node.keywords if word.arg == "hold" and isinstance(word.value, ast.Tuple)]
            found |= set[str]().union(*(texts_in(hold.elts[0], names) for hold in holds))
    return {slug for slug in found if SLUG.fullmatch(slug)}


def logged_by(tree: ast.Module) -> set[str]:
    """The names of the log lines that a module writes."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in {"info", "problem"}]
    return set[str]().union(*(texts_in(call.args[0], {}) for call in calls if call.args))


OUTCOMES = {outcome.value for outcome in Outcome}
FAILED = {outcome.value for outcome in FAILURES}
"""Outcomes that fail a run whatever the reason."""
LIST_FAULTS = {"list-changing", "list-not-paged", "no-list", "empty-answer"}
"""Codes of calls that read: they make a text in `errors`, never the reason of an order."""
REASONS = set[str]().union(*map(reasons_of, HANDLER.values())) - LIST_FAULTS | set(CHECKS)
LOGGED = set[str]().union(*map(logged_by, HANDLER.values()))
MESSAGE_TYPES = {
    text for text in vars(messages).values() if isinstance(text, str) and re.fullmatch(r"cas(\.[a-z]+)+", text)
}
ENTRIES = set(work._FROM)
"""The kinds of entry in an order's journal."""
CAS_CODES = {
    frozenset(codes): "unknown" if meaning is Meaning.UNKNOWN else "refused"
    for meaning, codes in cas_codes._TABLE.items()
}
"""What a renewal comes to with each group of error codes."""


def unseen(name: str) -> set[str]:
    """What a module writes that looks like a reason, and that nothing above takes for one."""
    constants = [node for node in ast.walk(HANDLER[name]) if isinstance(node, ast.Constant)]
    texts = {node.value for node in constants if isinstance(node.value, str) and "-" in node.value}
    return {text for text in texts if SLUG.fullmatch(text)} - REASONS - LIST_FAULTS - LOGGED


def buys(event: bytes) -> bool:
    """Whether a sample event may cost money. Raises EventRefused for one that the function does not take."""
    what = understand(event, ()).what
    return isinstance(what, Renew) and not what.dry_run
