"""Tasks for child processes: one that works, and every way not to."""

import os
import signal
import time


def behave(item, options, say):
    """Do what the item says."""
    say(f"begin {item}")
    print("noise on stdout", flush=True)
    match item:
        case "raise":
            raise ValueError("no")
        case "fail":
            return ["rows are wrong", "check failed"]
        case "kill":  # what the system does to a process when memory runs out
            os.kill(os.getpid(), signal.SIGKILL)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "hang":
            time.sleep(600)
        case "deaf":  # busy in a way that an interrupt does not reach
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            say("deaf")
            time.sleep(600)
        case "memory":
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))
            bytearray(1 << 34)
        case "slow":
            time.sleep(options["seconds"])
    if item.startswith("pid"):
        say(str(os.getpid()))
    return []
