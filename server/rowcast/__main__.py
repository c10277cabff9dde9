"""`python -m rowcast`: the same as the command `rowcast`."""

from rowcast.cli import main

main()
