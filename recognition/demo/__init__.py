"""A vault of drawn people: rows and files of any size for tests, benchmarks and pictures. Nobody real is in it."""

from recognition.demo.plan import BadSize, DemoSize
from recognition.demo.vault import DemoSummary, VaultNotEmpty, build_vault

__all__ = ["BadSize", "DemoSize", "DemoSummary", "VaultNotEmpty", "build_vault"]
