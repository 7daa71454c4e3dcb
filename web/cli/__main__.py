"""``python -m web.cli``: the same as ``hub``."""

from web.cli.frame import main

if __name__ == "__main__":
    main()
