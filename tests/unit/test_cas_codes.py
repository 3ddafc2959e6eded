"""What an error of CAS means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.cloud.cas_codes import Meaning, meaning
from tests.examples import PROPERTY

DOCUMENTED = {
    Meaning.THROTTLED: "Throttling Throttling.User Throttling.Api Rejected.Throttling FlowControlError",
    Meaning.BUSY: "OperationDenied.SystemUpgrading InvalidStatus.UpdateProtection",
    Meaning.REFUSED: (
        "NotFound NotFoundOrder OrderStateError OrderExpired CertificateExpired OperationDenied.StatusNotSupport "
        "InvalidParameter InvalidParameter.Csr InvalidParameterValue MissingOrderId Missing.OrderId InsufficientQuota "
        "NotRemainCount NotFoundPackage"
    ),
    Meaning.MISCONFIGURED: (
        "Forbidden.RAM NoPermission AccessDenied.NoAuth PermissionDenied InvalidAccessKeyId.NotFound "
        "InvalidAccessKeyId.Inactive SignatureDoesNotMatch InvalidSecurityToken.Expired "
        "InvalidSecurityToken.Malformed InvalidTimeStamp.Expired"
    ),
    Meaning.UNKNOWN: "InternalError ServiceUnavailable CreateOrderFailed DeductQuotaFailed",
}
CODES = [code for codes in DOCUMENTED.values() for code in codes.split()]


@pytest.mark.parametrize(
    ("kind", "code"), [(kind, code) for kind, codes in DOCUMENTED.items() for code in codes.split()]
)
@pytest.mark.parametrize("status", [400, 403, 404, 499])
def test_a_documented_code_means_the_same_with_any_4xx(kind, code, status):
    assert meaning(code, status) is kind


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("status", [None, 200, 302, 399, 500, 502, 503, 504])
def test_with_any_other_status_even_a_documented_code_may_have_happened(code, status):
    assert meaning(code, status) is Meaning.UNKNOWN


@pytest.mark.parametrize(
    "code", ["SomethingNew", "throttling", "ThrottlingX", "Internal", "InternalError.Other", "中文"]
)
def test_a_code_that_nobody_documented_is_a_refusal_with_4xx_and_unknown_with_any_other(code):
    assert meaning(code, 400) is Meaning.REFUSED
    assert meaning(code, 500) is Meaning.UNKNOWN
    assert meaning(code, None) is Meaning.UNKNOWN


@pytest.mark.parametrize("code", [None, ""])
def test_an_answer_without_a_code_may_have_happened(code):
    assert meaning(code, 400) is Meaning.UNKNOWN


@PROPERTY
@given(st.none() | st.text() | st.sampled_from(CODES), st.none() | st.integers().filter(lambda s: not 400 <= s <= 499))
def test_whatever_the_code_an_answer_outside_4xx_may_have_happened(code, status):
    assert meaning(code, status) is Meaning.UNKNOWN
