"""The project around the function: documentation, deployment, package, imports."""
