"""The one name that the installed package takes: everything else lies inside it.

The code imports ``chalicelib`` and ``app``, the names that Chalice asks of a project, as every other project of Chalice
does. So the command puts the folder of this package before all others; the modules of a project beside it are neither
taken for ours nor hidden from others. In a checkout the folder holds links to what lies in the root.
"""

import sys
from pathlib import Path


def main() -> None:
    """The command ``auditor``."""
    sys.path.insert(0, str(Path(__file__).parent))
    from chalicelib.cli import main as auditor

    auditor()
