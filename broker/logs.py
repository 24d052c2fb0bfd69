"""What an operator reads: structlog to standard error, as text or as JSON lines. No name, number or token is logged."""

from __future__ import annotations

import logging
import sys

import structlog

from broker.config import Config


def set_up_logs(config: Config) -> None:
    """Write log lines of INFO and above in the format that the configuration names."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if config.log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if config.debug else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
