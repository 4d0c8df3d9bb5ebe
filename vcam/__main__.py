"""The program: ``vcam`` and ``python -m vcam``. Every error ends here, as one message and an exit code.

Little is imported before the first ``try``: Ctrl-C in the meantime would end in a traceback.
"""

import os
import sys

from vcam.errors import EXIT_INTERRUPTED, VcamError


def main() -> int:
    """Run the command line; the result is the exit code (SystemExit bears those of the commands themselves)."""
    # OpenMP's idle threads otherwise spin for milliseconds after each call, on the cores that inference wants next.
    # libgomp reads this once, when it is loaded, which is later.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    debug = False
    try:
        from vcam.cli.app import DEBUG_FLAG, make_app

        debug = DEBUG_FLAG in sys.argv[1:]
        make_app()(prog_name="vcam")
    except VcamError as error:
        _tell(error.problem, error.hint)
        _show_trace(error, debug=debug)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  the command line's one broad except: a bug is told in one line, too
        where = "the traceback follows" if debug else f"the traceback is in {_keep_trace(error)}"
        _tell(f"vcam has a bug: {type(error).__name__}: {error}", f"{where}; please report it")
        _show_trace(error, debug=debug)
        return VcamError.exit_code
    return 0


def _tell(problem: str, hint: str) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(Text("error: ", style="bold red"), Text(problem), sep="")
    console.print(Text("hint: ", style="bold"), Text(hint), sep="")


def _show_trace(error: Exception, *, debug: bool) -> None:
    import traceback

    if debug:
        sys.stderr.write("".join(traceback.format_exception(error)))


def _keep_trace(error: Exception) -> str:
    """A file that only this user can read."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="vcam-", suffix=".txt", delete=False) as file:
        file.write("".join(traceback.format_exception(error)))
    return file.name


if __name__ == "__main__":
    sys.exit(main())
