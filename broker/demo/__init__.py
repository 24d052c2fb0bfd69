"""The demo: a broker with two made-up prisons, three calls played by bots, and one link for each chair."""

from broker.demo.run import run

__all__ = ["run"]
