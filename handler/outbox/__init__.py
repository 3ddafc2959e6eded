"""Who is notified, of each fact once."""
