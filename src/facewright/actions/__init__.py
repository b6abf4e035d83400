"""One silent function a command: arguments in, a dataclass out, events through one callback."""
