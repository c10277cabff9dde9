"""Rowcast: Postgres rows, cast live to every browser."""

__version__ = "0.1.0"
