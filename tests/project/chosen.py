"""An operator's own file, filled in from the example as the documents say."""

from __future__ import annotations

import re
from pathlib import Path

from deploy import deployment

ACCOUNT = "210987654321"
BUCKET = "renewal-journal-of-tests"


def choose(checkout: Path, **choices: str) -> Path:
    """Copy the example and fill it in: by the name under `vars`, what goes into quotation marks there."""
    text = (checkout / deployment.EXAMPLE).read_text(encoding="utf-8")
    for name, value in {"account": ACCOUNT, "journal_bucket": BUCKET, **choices}.items():
        text, found = re.subn(rf'(?m)^(  {name}: (?:&\w+ )?)("[^"]*"|\S+)', rf'\g<1>"{value}"', text)
        assert found == 1, name
    own = checkout / deployment.CHOICES
    own.write_text(text, encoding="utf-8")
    return own
