"""Benchmarks: each compares with something in the same run; figures are ratios first. Run ``python -m benchmarks``."""
