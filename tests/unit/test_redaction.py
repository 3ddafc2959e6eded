"""What may not leave the function: whoever quotes it, and however."""

from __future__ import annotations

import html
import json
import re
import time
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import hypothesis
import pytest
from hypothesis import strategies as st

from handler.cloud.credentials import Credentials
from tests.examples import PROPERTY, csr

TOKEN = "CAISjgJ1q6Ft5B2yfSjIr5fSJdiMvrE" + "ab+/9=Q<&>\"'" * 60 + "Zz=="
SECRET = "FAKEsecret0123456789+/abcdef=="
KEY_ID = "STS.FAKEkeyid0123456789"
HELD = Credentials(KEY_ID, SECRET, TOKEN)

SPELLINGS = {
    "plain": lambda text: text,
    "URL-encoded": lambda text: quote(text, safe=""),
    "URL-encoded but for slashes": quote,
    "as in a form": quote_plus,
    "URL-encoded in small letters": lambda text: quote(text, safe="").replace("%2B", "%2b").replace("%2F", "%2f"),
    "URL-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "a form that was read as a URL": lambda text: text.replace("+", " "),
    "HTML": html.escape,
    "HTML in HTML": lambda text: html.escape(html.escape(text)),
    "XML": escape,
    "XML with numbers": lambda text: "".join(c if c.isalnum() else f"&#{ord(c)};" for c in text),
    "XML with hexadecimal numbers": lambda text: "".join(c if c.isalnum() else f"&#x{ord(c):X};" for c in text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON with escaped slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON for HTML": lambda text: "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in text),
    "Base64": lambda text: b64encode(text.encode()).decode(),
    "Base64 for URLs": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "Base64, URL-encoded": lambda text: quote(b64encode(text.encode()).decode(), safe=""),
}


@pytest.mark.parametrize("secret", [TOKEN, SECRET, KEY_ID], ids=["token", "secret", "key id"])
@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_taken_out_in_every_spelling_and_nothing_else_is(spelled, secret):
    redacted = HELD.redact(f"before: {spelled(secret)} | {spelled(secret)}, after")
    # The last character of Base64 may be half that of a neighbour, and so may stay, with the padding behind it.
    assert re.fullmatch(r"before: \*\*\*\w?(=|%3D)* \| \*\*\*\w?(=|%3D)*, after", redacted)


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_what_a_server_has_cut_off_is_taken_out_too(spelled):
    for length in (16, 17, 40, 200, len(TOKEN) - 1):
        redacted = HELD.redact(f"<{spelled(TOKEN[:length])}... is wrong")
        assert "CAISjgJ1q6" not in redacted, length
        assert spelled(TOKEN)[:8] not in redacted, length


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "STS.id:"])
def test_a_secret_is_taken_out_of_a_longer_text_in_base64(before):
    encoded = b64encode(f"{before}{SECRET}\n{TOKEN}!".encode()).decode()
    redacted = HELD.redact(encoded)
    assert len(redacted) < 40


def test_a_text_that_only_begins_like_a_secret_stays():
    assert HELD.redact(f"{TOKEN[:15]} {KEY_ID[:15]}") == f"{TOKEN[:15]} {KEY_ID[:15]}"


def test_without_credentials_nothing_is_taken_for_one():
    assert Credentials("", "", "").redact("a text") == "a text"


CSR = csr()


@pytest.mark.parametrize(
    "quoted",
    [
        f"bad request: {CSR} is wrong",
        f"bad request: {quote(CSR)} is wrong",
        f"bad request: {quote(quote(CSR))} is wrong",
        f"bad request: {CSR[:200]}",
        f"bad request: {CSR}{CSR[:100]}",
        f"bad key: {CSR.replace('CERTIFICATE REQUEST', 'RSA PRIVATE KEY')} is wrong",
        f"Max retries exceeded with url: /?Csr={quote(CSR, safe='')}&OrderId=1 (Caused by timeout)",
        f"url: https://cas.aliyuncs.com/?OrderId=1&Csr={quote_plus(CSR)}",
    ],
)
def test_a_csr_or_a_key_is_taken_out_whole_or_cut(quoted):
    body = "".join(CSR.splitlines()[1:-1])
    for text in (quoted, json.dumps(quoted), html.escape(quoted)):
        redacted = HELD.redact(text)
        assert body[:12] not in redacted
        assert quote(body[20:60], safe="") not in redacted
        assert redacted.startswith(text[:9])
    assert isinstance(json.loads(HELD.redact(json.dumps({"said": quoted, "then": 1})))["then"], int)


def test_the_query_of_a_url_is_taken_out_and_the_rest_of_the_sentence_stays():
    said = "HTTPSConnectionPool(host='cas', port=443): url: /?Csr=abc&Signature=x%2By (Caused by Timeout('slow?'))"
    assert HELD.redact(said) == ("HTTPSConnectionPool(host='cas', port=443): url: /?*** (Caused by Timeout('slow?'))")


def test_a_question_mark_is_no_query():
    for said in ("what? that", "really?", "*.example.com?", "a ? b = c"):
        assert HELD.redact(said) == said


@PROPERTY
@hypothesis.given(
    st.dictionaries(
        st.text(),
        st.lists(
            st.sampled_from([TOKEN, SECRET[:20], CSR, CSR[:99], "/?a=b", '"', "\\", "<", "-----BEGIN X-----", "\u2028"])
        ).map("".join),
    )
)
def test_json_stays_json(facts):
    for ascii_only in (True, False):
        redacted = HELD.redact(json.dumps(facts, ensure_ascii=ascii_only))
        assert len(json.loads(redacted)) == len(facts)
        again = HELD.redact(json.dumps({"said": json.dumps(facts, ensure_ascii=ascii_only)}))
        assert json.loads(again).keys() == {"said"}


def test_hostile_texts_take_no_time():
    began = time.perf_counter()
    for hostile in ("-----BEGIN ", "-----BEGIN X-----", "?a", "?a.", TOKEN[:16], "\\", "%25", "&amp;"):
        HELD.redact(hostile * 20_000)
    assert time.perf_counter() - began < 10
