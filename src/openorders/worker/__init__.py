"""What runs beside the requests: sweeps, mail, expiry. Knows use cases, never the store."""
