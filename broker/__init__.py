"""The session broker: supervised video calls between families and people in prison."""

__version__ = "0.1.0"
