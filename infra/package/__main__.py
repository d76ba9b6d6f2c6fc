"""`python -m minefusion` is the `minefusion` command."""

from minefusion.cli import main

main()
