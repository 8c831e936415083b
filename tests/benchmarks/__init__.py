"""Benchmarks: our refresh against the loop a user of pymc-marketing would write. `make bench`; pytest skips them."""
