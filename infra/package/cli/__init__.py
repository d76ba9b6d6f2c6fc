"""The command line: `minefusion <verb>`. Each verb's module is imported only when that verb is called."""

from minefusion.cli.app import main

__all__ = ["main"]
