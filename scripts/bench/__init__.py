"""The parts of bench_relay.py."""
