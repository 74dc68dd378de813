"""`python -m openorders` is the command `openorders`."""

from openorders.cli import main

if __name__ == "__main__":
    main()
