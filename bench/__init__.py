"""Benchmarks: small scripts that make their own data and print a table."""
