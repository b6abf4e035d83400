"""`python -m facewright` is the same as `facewright`."""

from facewright.cli.main import entry

if __name__ == "__main__":
    entry()
