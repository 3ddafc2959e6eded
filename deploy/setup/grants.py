"""Two policy documents side by side: what the one grants or denies and the other does not. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """What becomes of a policy when another document takes its place."""

    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    @property
    def widens(self) -> bool:
        """Whether something may be allowed afterwards that was not before."""
        return any(line.startswith("allow ") for line in self.added) or any(
            not line.startswith("allow ") for line in self.removed
        )

    @property
    def lines(self) -> list[str]:
        """One line for each grant and denial, the new ones with a plus."""
        return [f"- {line}" for line in self.removed] + [f"+ {line}" for line in self.added]


def difference(before: Any, after: Any) -> Difference:
    """Compare two policy documents, whatever the order and the grouping of their statements."""
    old, new = (dict.fromkeys(_grants(document)) for document in (before, after))
    return Difference(
        added=tuple(line for line in new if line not in old), removed=tuple(line for line in old if line not in new)
    )


def document_in(text: str) -> Any:
    """Return the document that RAM keeps as a text; the text itself if it is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _grants(document: Any) -> Iterator[str]:
    """Yield a line for each action on each resource; a statement that is not understood is one line as it is."""
    statements = document.get("Statement") if isinstance(document, dict) else None
    if not isinstance(statements, list):
        if document is not None:
            yield f"what stands there as a policy: {_json(document)}"
        return
    for statement in statements:
        if not isinstance(statement, dict) or not statement.keys() <= _KNOWN or statement.get("Effect") not in _EFFECTS:
            yield f"a statement: {_json(statement)}"
            continue
        effect = str(statement["Effect"]).lower()
        who = f" by {_json(statement['Principal'])}" if "Principal" in statement else ""
        when = f" if {_json(statement['Condition'])}" if statement.get("Condition") else ""
        for action in _each(statement.get("Action")):
            for resource in _each(statement.get("Resource", "")):
                on = f" on {resource}" if resource else ""
                yield f"{effect} {action}{on}{who}{when}"


_EFFECTS = frozenset({"Allow", "Deny"})
_KNOWN = frozenset({"Effect", "Action", "Resource", "Principal", "Condition"})


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
