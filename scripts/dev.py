#!/usr/bin/env python3
"""The project's commands (setup, demo, test, ...) on a machine with Python and nothing of ours. Stdlib only."""

from __future__ import annotations

import argparse
import subprocess
import sys

import machine


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py")
    parser.add_argument("command", choices=["setup"])
    parser.parse_args()
    try:
        machine.right_python()
        with machine.only_one():
            machine.make_venv(dev=True)
            machine.make_node_modules(dev=True)
    except machine.Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
