"""The certificate renewer: what Function Compute runs. Start reading at `handler.index`.

Records are named tuples: making a dataclass takes 0.4 ms, which every cold start would pay for each. Alternatives, such
as the commands and the verdicts, are told apart by their type and never by being equal, since tuples of equal content
are.
"""
