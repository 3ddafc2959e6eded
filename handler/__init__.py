"""The certificate renewer: what Function Compute runs. Start reading at `handler.index`.

Records are named tuples: making a dataclass takes 0.4 ms, which every cold start would pay for each. Alternatives that
are told apart by their type (`handler.command`, `handler.orders.settle`) are dataclasses all the same, since tuples of
equal content are equal.
"""
