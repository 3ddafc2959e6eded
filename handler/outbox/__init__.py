"""The outbox: the messages, each sent and then recorded, so that of each fact people are notified once."""
