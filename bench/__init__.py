"""Benchmarks: each case beside its limit, in the same run, in turn."""
