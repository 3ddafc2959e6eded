"""Getting the function into an account and invoking it there: nothing here is part of the function.

`make package`, `make policy`, `make setup`, `make deploy` and `make invoke` are the commands; `deploy.deployment` reads
the operator's choices for all of them.
"""
