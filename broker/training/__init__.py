"""Training: a broker of its own in which made-up families misbehave on cue, and the officer's answers are timed."""

from broker.training.run import run

__all__ = ["run"]
