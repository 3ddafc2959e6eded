"""Asking a person before something is changed or sent."""

from __future__ import annotations

import sys


def agreed(question: str, *, yes: bool) -> bool:
    """Ask, and tell whether the answer is yes; `yes` answers for the person. No answer at all is a no."""
    if yes:
        print(f"{question} yes (--yes)")
        return True
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        print()
        print("Nobody is there to answer: --yes answers.", file=sys.stderr)
        return False
    except KeyboardInterrupt:
        print()
        return False
    return answer.strip().lower() in {"y", "yes"}
