"""Named places where a test may kill the process, to prove that a kill there loses and doubles nothing."""

import os
import signal

ENVIRONMENT = "FACEVAULT_CRASH_AT"


def crash_point(name: str) -> None:
    """Kill this process with SIGKILL if the environment names this point; a kill leaves no chance to clean up."""
    if os.environ.get(ENVIRONMENT) == name:
        os.kill(os.getpid(), signal.SIGKILL)
