"""`python -m reid` is the command `reid`."""

from reid.cli.app import main

if __name__ == "__main__":
    main()
