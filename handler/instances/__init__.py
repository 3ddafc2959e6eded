"""Certificate instances (V2): the list, the policy, and what came of it."""
