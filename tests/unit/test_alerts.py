"""Messages of which an order's own journal cannot say that they are on the queue."""

import pytest

from handler.certificates.rules import HISTORY
from handler.journal.alerts import FORGOTTEN_AFTER, Alerts
from tests.examples import DAY, MILLISECOND, NOW


def test_an_alert_is_remembered_where_the_orders_own_journal_cannot_say_so(alerts, store):
    assert not alerts.was_sent("123-failed-20261121")
    alerts.sent("123-failed-20261121", NOW)
    assert Alerts(store, "request-2").was_sent("123-failed-20261121")
    assert not alerts.was_sent("123-failed-20261122")


def test_all_that_was_sent_is_known_at_once(alerts, store):
    assert alerts.all_sent(NOW) == frozenset()
    alerts.sent("9000000-expiring-14", NOW)
    alerts.sent("123-failed-20261121", NOW)
    assert Alerts(store, "request-2").all_sent(NOW) == {"9000000-expiring-14", "123-failed-20261121"}


def test_what_was_told_of_an_end_is_forgotten_once_that_is_history_and_counts_no_more_at_once(alerts, store):
    alerts.sent("9000000-expiring-14", NOW)
    assert alerts.all_sent(NOW + FORGOTTEN_AFTER) == {"9000000-expiring-14"}
    assert alerts.all_sent(NOW + FORGOTTEN_AFTER + MILLISECOND) == frozenset()
    assert store.notes == {}


def test_what_a_journal_cannot_record_is_remembered_for_ever(alerts):
    alerts.sent("123-98987582437920968-issued", NOW)
    assert alerts.all_sent(NOW + 1000 * DAY) == {"123-98987582437920968-issued"}
    assert alerts.was_sent("123-98987582437920968-issued")


@pytest.mark.parametrize("lifetime", [47, 100, 199])
def test_a_note_lasts_as_long_as_it_is_needed_and_not_into_the_life_of_the_next_certificate(lifetime):
    """The last alert counts until the end is history; that of the next certificate's end has the same id."""
    assert HISTORY <= FORGOTTEN_AFTER < lifetime * DAY - 14 * DAY
