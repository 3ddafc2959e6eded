"""Which names the operator's rules allow."""

import pytest

from handler.certificates.rules import are_names, is_allowed
from tests import examples


@pytest.mark.parametrize(
    "domain", ["www.example.com", "*.example.com", "bücher.example.com", "a.example.com, B.example.com"]
)
def test_a_field_of_names_alone_is_known_for_names(domain):
    assert are_names(domain)
    assert is_allowed(domain, examples.rules())


@pytest.mark.parametrize("domain", ["", " ", ",", "null", "www.example.com, null", "https://www.example.com", "*"])
def test_no_list_allows_what_shows_no_name_or_something_else_beside_it(domain):
    assert not are_names(domain)
    assert not is_allowed(domain, examples.rules())


def test_every_name_of_a_field_must_be_allowed_and_none_excepted():
    rules = examples.rules(domains=("*.example.com",), domains_except=("pay.example.com",))
    assert is_allowed("www.example.com", rules)
    assert is_allowed("www.example.com,shop.example.com", rules)
    assert not is_allowed("www.example.com,www.example.org", rules)
    assert not is_allowed("www.example.com,PAY.example.com.", rules)
    assert not is_allowed("example.com", rules)
