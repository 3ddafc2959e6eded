"""Messages of which an order's own journal cannot say that they are on the queue."""

from handler.journal.alerts import Alerts
from tests.examples import NOW


def test_an_alert_is_remembered_where_the_orders_own_journal_cannot_say_so(alerts, store):
    assert not alerts.was_sent("123-failed-20261121")
    alerts.sent("123-failed-20261121", NOW)
    assert Alerts(store, "request-2").was_sent("123-failed-20261121")
    assert not alerts.was_sent("123-failed-20261122")
