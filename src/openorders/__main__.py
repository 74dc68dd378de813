"""`python -m openorders`: the command line."""

from openorders.cli import main

if __name__ == "__main__":
    main()
