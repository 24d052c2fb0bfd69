"""The wire: what pages, laptops, consoles and bots say to the broker, version 1 (docs/protocol.md)."""

VERSION = 1
