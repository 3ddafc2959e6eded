"""YAML in which no key stands twice: of two the last one would win here, and Serverless Devs would not start."""

from __future__ import annotations

from typing import Any

import yaml


class _UniqueKeys(yaml.SafeLoader):
    """Refuses an object that has a key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Return the object. Raises ConstructorError, which names the second place."""
        seen = set[str]()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands there twice", key.start_mark)
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """Return the document in a text. Raises yaml.YAMLError for one that is none, or has a key twice."""
    return yaml.load(text, _UniqueKeys)  # noqa: S506 (a safe loader)
