"""The kit as tests: ``pytest --pyargs regen_core.testing.suite --regen-store module:factory``."""
