"""Setting up an account: the role with its policy, the queues, the bucket of the journal.

`found` is what there is, `wanted` what there has to be, `plan` the difference: pure, and the place of every decision.
`ram`, `smq` and `oss` look and act, one service each; `__main__` is the command.
"""
