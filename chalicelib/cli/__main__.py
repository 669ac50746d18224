"""``python -m chalicelib.cli`` is ``auditor``."""

from chalicelib.cli import main

main()
