"""Certificate orders (V1): the order book, the policy, the purchase, and what came of it."""
