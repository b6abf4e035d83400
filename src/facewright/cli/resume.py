"""How the end of a resumed session is shown."""

from facewright.cli.train import shown

__all__ = ["shown"]
