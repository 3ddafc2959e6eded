"""Takes out of a text what may not leave the function, however somebody else has spelled it. Pure.

Servers and libraries quote what they were sent: escaped, encoded, cut short. So a secret is looked for character by
character, each in any of its spellings, and from its first characters on, as far as the text goes on like it.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import cache

GONE = "***"
LEAST = 16
"""So many of the first characters of a secret are as good as the secret: a server may have cut the rest off."""
_LEAST_ENCODED = 20
"""The same in Base64: what is left of 16 characters wherever they stand in the text that was encoded."""
_SHORTEST_ENCODED = 8
"""A secret with fewer characters has too few in Base64 to be told from any other text; real ones are longer."""

# Neither goes over the end of a JSON string or of an HTML element: what is redacted stays as well-formed as it was.
_PEM = re.compile(
    r"-----BEGIN[^\"\\<>-]{0,60}-----"
    r"(?:[^\"\\<>]|\\[^\"])*?"
    r"(?:-----END[^\"\\<>-]{0,60}-----|(?=[\"<>]|\\\"|\Z))"
)
_QUERY = re.compile(r"\?(?=[\w.%~-]{1,100}=)[^\s\"\\<>]+")

_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class Redaction:
    """Takes some secrets out of texts, and with them every PEM block and the query of every URL."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """The empty text is no secret."""
        given = [secret for secret in secrets if secret]
        encoded = [piece for secret in given if len(secret) >= _SHORTEST_ENCODED for piece in _in_base64(secret)]
        self._secrets = [
            *(_Secret([_spellings(character) for character in secret], LEAST) for secret in given),
            *(_Secret([_base64_spellings(character) for character in piece], _LEAST_ENCODED) for piece in encoded),
        ]

    def __call__(self, text: str) -> str:
        """Return the text without them; JSON stays JSON, HTML stays HTML."""
        for secret in self._secrets:
            text = secret.out_of(text)
        return _QUERY.sub("?" + GONE, _PEM.sub(GONE, text))


class _Secret:
    """One secret in one encoding: a pattern for each character."""

    def __init__(self, characters: list[str], least: int) -> None:
        self._head = re.compile("".join(characters[:least]))
        self._rest = characters[least:]

    def out_of(self, text: str) -> str:
        found = self._head.search(text)
        if found is None:
            return text
        kept, at = [], 0
        while found is not None:
            kept.append(text[at : found.start()])
            at = self._end(text, found.end())
            found = self._head.search(text, at)
        return GONE.join([*kept, text[at:]])

    def _end(self, text: str, at: int) -> int:
        """Return how far the text goes on like the secret."""
        for character in self._rest:
            more = re.compile(character).match(text, at)
            if more is None:
                break
            at = more.end()
        return at


@cache
def _spellings(character: str) -> str:
    """Return a pattern for a character: plain, or escaped for a URL, JSON, HTML or XML, also more than once."""
    if character.isascii() and character.isalnum():
        return character
    number = ord(character)
    ways = [
        "".join(f"%(?:25)*(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass")),
        rf"\\+(?:u|U0000)(?i:{number:04x})",
        rf"\\+x(?i:{number:02x})",
        rf"&(?:amp;)*#(?:0*{number}|[xX]0*(?i:{number:x}));",
        rf"\\*{re.escape(character)}",  # last: an ampersand, say, may be the beginning of any of the others
    ]
    if character in _NAMED:
        ways.insert(0, f"&(?:amp;)*{_NAMED[character]};")
    if character == "+":
        ways.append(" ")  # in a form, which somebody has read as one
    return f"(?:{'|'.join(ways)})"


@cache
def _base64_spellings(character: str) -> str:
    url_safe = {"+": "-", "/": "_"}.get(character)
    return f"(?:{_spellings(character)}|{url_safe})" if url_safe else _spellings(character)


def _in_base64(secret: str) -> list[str]:
    """Return what of the secret's Base64 does not depend on its neighbours, for each place in which it can begin."""
    pieces = []
    for before, touched in ((0, 0), (1, 2), (2, 3)):
        whole = b"\0" * before + secret.encode("utf-8", "surrogatepass")
        encoded = b64encode(whole).decode().rstrip("=")
        pieces.append(encoded[touched : len(encoded) - (len(whole) % 3 > 0)])
    return pieces
