"""Ways in which the answer to a call that has an effect is lost."""

from tests.stubs import faults

HAPPENED = [
    faults.timeout_after(),
    faults.reset_after(),
    faults.html_after(502),
    faults.empty_after(),
    faults.error_after("InternalError", status=400),
    faults.missing_order_id(),
]
"""After these the call has had its effect."""
DID_NOT = [
    faults.timeout_before(),
    faults.reset_before(),
    faults.refused(),
    faults.html(),
    faults.empty(),
    faults.error("InternalError", status=500),
    faults.throttle(),
]
"""After these it has not."""


def fault_name(fault: faults.Fault) -> str:
    """Return what a test's name says of a fault."""
    return f"{fault.kind}-{fault.code}"
