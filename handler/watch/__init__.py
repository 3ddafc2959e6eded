"""What nothing will replace: every certificate of the account, of whatever kind, side by side. Pure, but for a port."""
