"""Domain names are compared in one spelling, and matched against the patterns of the settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.certificates.domains import canonical, could_match, is_name, is_pattern, matches, names_in
from tests.examples import PROPERTY

LABELS = st.text("abcäöüßéñ例子中国-0123456789", min_size=1, max_size=8)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("WWW.Example.COM", "www.example.com"),
        ("www.example.com.", "www.example.com"),
        (" www.example.com\n", "www.example.com"),
        ("*.example.com", "*.example.com"),
        ("Bücher.example.com", "xn--bcher-kva.example.com"),
        ("XN--BCHER-KVA.example.com", "xn--bcher-kva.example.com"),
        ("例子.example.com.", "xn--fsqu00a.example.com"),
        ("*.例子.example.com", "*.xn--fsqu00a.example.com"),
        ("", ""),
        (".", ""),
        ("a..ü", "a..ü"),
        ("straße.de", "xn--strae-oqa.de"),
        ("STRASSE.de", "strasse.de"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("ΒΌΛΟΣ.com", "xn--nxasmq6b.com"),
        ("ｗｗｗ．Ｅxample。com｡", "www.example.com"),
        ("bu\u0308cher.example.com", "xn--bcher-kva.example.com"),
        ("www\u200b.Example.com", "www\u200b.example.com"),
        ("☃.Example.com", "☃.example.com"),
    ],
)
def test_a_name_has_one_spelling(spelling, name):
    assert canonical(spelling) == name


@PROPERTY
@given(NAMES)
def test_the_one_spelling_of_the_one_spelling_is_itself(name):
    assert canonical(canonical(name)) == canonical(name)
    assert canonical(f" {name.upper()}. ") == canonical(name.upper())


@PROPERTY
@given(st.text())
def test_whatever_the_text_its_one_spelling_is_its_own(text):
    assert canonical(canonical(text)) == canonical(text)


# ------------------------------------------------------------------------------------------------ the names of a field


@pytest.mark.parametrize(
    "separator", [",", ";", "|", " ", "\n", "\t", "、", "，", "；", "｜", "､", "\u3000", "\xa0", ", ", " ; \r\n"]
)
def test_names_are_separated_by_whatever_people_and_consoles_write(separator):
    field = separator.join(["A.example.com", "bücher.example.com.", "a.example.com"])
    assert names_in(field) == ("a.example.com", "xn--bcher-kva.example.com")
    assert names_in(f"{separator}{field}{separator}") == names_in(field)


@pytest.mark.parametrize("nothing", ["", " ", ",", " ;\n、"])
def test_a_field_without_names_has_none(nothing):
    assert names_in(nothing) == ()


@PROPERTY
@given(st.lists(NAMES, min_size=1, max_size=4), st.sampled_from([",", "; ", "、", "\n"]))
def test_every_name_of_a_field_is_found(names, separator):
    assert names_in(separator.join(names)) == tuple(dict.fromkeys(canonical(name) for name in names))


@pytest.mark.parametrize(
    "name",
    [
        "example.com",
        "www.example.com",
        "*.example.com",
        "xn--bcher-kva.example.com",
        "xn--strae-oqa.de",
        "_acme-challenge.a_b.example.com",
        "r3---sn.example.com",
        "192.0.2.1",
        f"{'a' * 63}.example.com",
        ".".join(["a" * 49] * 5) + ".com",
    ],
)
def test_a_host_below_a_domain_is_a_name(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*.com",
        "null",
        "localhost",
        "未绑定",
        "-",
        ".example.com",
        "a..example.com",
        "-a.example.com",
        "a-.example.com",
        "*a.example.com",
        "a.*.example.com",
        "*.*.example.com",
        "a.example.com/b.example.com",
        "a.example.com,b.example.com",
        '["a.example.com"]',
        "a:b.example.com",
        "www\u200b.example.com",
        "www\u00ad.example.com",
        "\ufeffwww.example.com",
        "bü_cher.example.com",
        "☃.example.com",
        "xn--n3h.example.com",
        "xn--.example.com",
        "xn--example-.example.com",
        "xn--99999999.example.com",
        f"{'a' * 64}.example.com",
        f"{'ü' * 63}.example.com",
        ".".join(["a" * 49] * 5) + ".comm",
    ],
)
def test_what_no_certificate_can_have_is_no_name(text):
    assert not is_name(canonical(text))


@PROPERTY
@given(st.text() | NAMES)
def test_whatever_is_a_name_is_ascii_and_stays_one_under_a_star(text):
    name = canonical(text)
    if is_name(name):
        assert name.isascii()
        assert names_in(name) == (name,)
        assert name.startswith("*.") or is_name(f"*.{name}") or len(name) > 251


# ------------------------------------------------------------------------------------------------------------ patterns


@pytest.mark.parametrize(
    ("domain", "pattern"),
    [
        ("www.example.com", "*"),
        ("", "*"),
        ("www.example.com", "www.example.com"),
        ("WWW.example.com.", "www.EXAMPLE.com"),
        ("www.example.com", "*.example.com"),
        ("a.b.example.com", "*.example.com"),
        ("*.example.com", "*.example.com"),
        ("bücher.example.com", "xn--bcher-kva.*"),
        ("xn--bcher-kva.example.com", "bücher.example.com"),
        ("example.com", "*example.com"),
    ],
)
def test_a_pattern_covers(domain, pattern):
    assert matches(domain, [pattern])
    assert matches(domain, ["other.example.com", pattern])


@pytest.mark.parametrize(
    ("domain", "pattern"),
    [
        ("example.com", "*.example.com"),
        ("www.example.com.example.com", "www.example.com"),
        ("wwwXexample.com", "www.example.com"),
        ("notexample.com", "*.example.com"),
        ("*.example.com", "www.example.com"),
        ("", "*.example.com"),
    ],
)
def test_a_pattern_does_not_cover(domain, pattern):
    assert not matches(domain, [pattern])


def test_no_pattern_covers_nothing():
    assert not matches("www.example.com", [])


def test_a_pattern_that_mixes_a_star_and_other_scripts_covers_what_it_shows():
    assert matches("xn--fsqu00a.example.com", ["*例*.example.com"])
    assert not matches("www.example.com", ["*例*.example.com"])


@pytest.mark.parametrize(
    ("domain", "pattern"),
    [
        ("straße.de", "straße.de"),
        ("xn--strae-oqa.de", "STRAßE.de"),
        ("straße.de", "xn--strae-oqa.*"),
        ("www.straße.de", "*straß*"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("xn--nxasmm1c.com", "βόλος.com"),
        ("bücher.example.com", "bu\u0308cher.*.com"),
    ],
)
def test_a_pattern_covers_a_name_of_another_script_in_any_spelling(domain, pattern):
    assert matches(domain, [pattern])
    assert could_match(domain, [pattern])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("straße.de", "strasse.de"),
        ("xn--strae-oqa.de", "strasse.de"),
        ("www.straße.de", "*strasse*"),
        ("βόλος.com", "βόλοσ.com"),
        ("xn--nxasmm1c.com", "xn--nxasmq6b.com"),
        ("xn--nxasmm1c.com", "xn--nxasmq*"),
        ("نامه\u200cای.com", "نامهای.com"),
    ],
)
def test_what_forbids_covers_both_readings_of_a_name_and_what_allows_only_its_own(one, other):
    assert could_match(one, [other])
    assert not matches(one, [other])
    if "*" not in other:
        assert could_match(other, [one])
        assert not matches(other, [one])


@PROPERTY
@given(NAMES, NAMES | st.text("ab*.ßς", min_size=1, max_size=6))
def test_whatever_a_pattern_allows_it_could_forbid(domain, pattern):
    assert could_match(domain, [pattern]) or not matches(domain, [pattern])
    assert could_match(domain, [domain])


@PROPERTY
@given(NAMES)
def test_a_name_is_forbidden_in_whatever_spelling_it_is_written(domain):
    if is_name(canonical(domain)):
        spellings = {domain, domain.upper(), canonical(domain), f"{domain}.", domain.replace(".", "。")}
        assert all(could_match(one, [other]) for one in spellings for other in spellings)


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "**",
        "*.example.com",
        "example.com.",
        "a*",
        "*com",
        "*例*.example.com",
        "xn--bcher-*.example.com",
        "नमस्ते.example.com",
        "*。中国",
        "_a.example.com",
    ],
)
def test_a_pattern_that_covers_some_name_is_one(pattern):
    assert is_pattern(pattern)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "example",
        ".example.com",
        "*..example.com",
        "-a.example.com",
        "[ab].example.com",
        "?.example.com",
        "［ab］.example.com",
        "!a.example.com",
        "a b.example.com",
        "a\u200b.example.com",
        "☃.example.com",
        "xn--n3h.example.com",
        "https://example.com",
        "a*/.example.com",
        f"{'a' * 64}.example.com",
    ],
)
def test_a_pattern_that_covers_no_name_is_none(text):
    assert not is_pattern(text)


@PROPERTY
@given(NAMES)
def test_every_name_is_a_pattern_that_covers_it(domain):
    if is_name(canonical(domain)):
        assert is_pattern(domain)
        assert matches(domain, [domain])
