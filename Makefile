# Everything is done by scripts/dev.py, so that the project works where make is missing.
DEV = python3 scripts/dev.py

.PHONY: help setup demo test fast model lint format features bench fuzz check-call lock clean
help:
	@$(DEV) help

setup demo test fast model lint format features bench fuzz check-call lock clean:
	@$(DEV) $@ $(ARGS)
