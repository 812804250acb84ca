"""The events of a run computed again, each from what the log says went into it. No I/O."""
