"""What the function has of the platform: settings, context, clock, log, and what a cold start need not import."""
