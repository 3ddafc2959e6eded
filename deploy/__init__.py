"""Getting the function into an account and invoking it there: nothing here is part of the function.

`python -m deploy.package`, `deploy.policy` and `deploy.invoke` are the commands.
"""
