"""The tree of commands. Nothing heavy is imported before a command runs."""

from typing import Annotated

import typer

from vcam import __version__
from vcam.cli.ctl import add_commands
from vcam.cli.options import (
    BenchOptions,
    DemoOptions,
    DevicesOptions,
    DoctorOptions,
    ImportOptions,
    ModelFolderOptions,
    PrepareCommandOptions,
    RunOptions,
    takes,
)

DEBUG_FLAG = "--debug"

_HELP = "A virtual camera that shows the same person before another background, in every application."

_EXAMPLES = """
[bold]Examples[/bold]

vcam demo  [dim]# see it work; needs no camera and no network[/dim]

vcam devices  [dim]# which cameras there are[/dim]

vcam run -i /dev/video0 -o /dev/video10 -b blur  [dim]# the virtual camera[/dim]
"""

_RUN_EXAMPLES = """
[bold]Examples[/bold]

vcam run  [dim]# /dev/video0 to /dev/video10, blurred[/dim]

vcam run -i /dev/video2 -b image:beach.jpg  [dim]# another camera, before a picture[/dim]

vcam run -i file:talk.mp4 -o file:out.mp4 -b green  [dim]# convert a video[/dim]

vcam run -i test: -o null: -e plate --benchmark  [dim]# measure without any device[/dim]

Every option is also a key of vcam.toml (--http-port is http_port) and a variable (VCAM_HTTP_PORT): options go before
variables, variables before the file. After a change of the file: kill -HUP.
"""

_MODEL_EXAMPLES = """
[bold]Examples[/bold]

vcam model prepare  [dim]# fetch the network and make it ready[/dim]

vcam model prepare --from rvm_mobilenetv3_fp32.onnx  [dim]# on a machine without network[/dim]

vcam model prepare -q high -W 640 -H 480  [dim]# for another quality and shape[/dim]
"""


_IMPORT_EXAMPLES = """
[bold]Examples[/bold]

vcam import-lfbw config.ini --out vcam.toml
"""


_CTL_EXAMPLES = """
[bold]Examples[/bold]

vcam ctl background blur:40

vcam ctl background image:beach.jpg  [dim]# handed over, and kept for the next time[/dim]

vcam ctl profile work --save; vcam ctl profile work  [dim]# a scene by name[/dim]

vcam ctl effect person_hologram=1; vcam ctl effect reset  [dim]# any setting of the scene, and back[/dim]

vcam ctl set mirror=yes layers="text:Ada Lovelace,Analyst"

vcam ctl pause; vcam ctl resume  [dim]# for a key of your desktop[/dim]
"""


def make_app() -> typer.Typer:
    """The whole command line."""
    app = _group(_HELP, _EXAMPLES)
    app.callback(invoke_without_command=True)(_root)
    app.command("run", epilog=_RUN_EXAMPLES)(_run)
    app.command("demo")(_demo)
    app.command("devices")(_devices)
    app.command("doctor")(_doctor)
    model = _group("Networks: fetch, prepare, check.", _MODEL_EXAMPLES, no_args_is_help=True)
    model.command("prepare", epilog=_MODEL_EXAMPLES)(_prepare)
    model.command("status")(_status)
    model.command("verify")(_verify)
    app.add_typer(model, name="model")
    app.command("bench")(_bench)
    app.command("import-lfbw", epilog=_IMPORT_EXAMPLES)(_import_lfbw)
    ctl = _group("Change a running vcam, between two frames.", _CTL_EXAMPLES, no_args_is_help=True)
    add_commands(ctl)
    app.add_typer(ctl, name="ctl")
    return app


def _group(text: str, epilog: str, *, no_args_is_help: bool = False) -> typer.Typer:
    return typer.Typer(
        help=text,
        epilog=epilog,
        no_args_is_help=no_args_is_help,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"vcam {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option(DEBUG_FLAG, help="Show the traceback of an error.")] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@takes(RunOptions)
def _run(options: RunOptions) -> None:
    """Run the virtual camera, or convert a file."""
    from vcam.cli.run import run

    run(options)


@takes(DemoOptions)
def _demo(options: DemoOptions) -> None:
    """See it work: the whole pipeline on a drawn scene, without camera, GPU or network.

    Writes a clip and a contact sheet (source, matte, result), prints what each stage took.
    """
    from vcam.cli.demo import demo

    demo(options)


@takes(DevicesOptions)
def _devices(options: DevicesOptions) -> None:
    """List cameras with their modes, and virtual cameras with their readers."""
    from rich.console import Console

    from vcam.cli.devices import as_json, show
    from vcam.v4l2.devices import list_devices

    inventory = list_devices()
    if options.json:
        typer.echo(as_json(inventory))
    else:
        show(inventory, Console())


@takes(DoctorOptions)
def _doctor(options: DoctorOptions) -> None:
    """Check every precondition, and print what to paste where one is missing.

    The exit code is 0 only if a camera would work.
    """
    from vcam.cli.doctor import doctor

    doctor(options)


@takes(PrepareCommandOptions)
def _prepare(options: PrepareCommandOptions) -> None:
    """Fetch a network, or take it from a file, and make it ready: cut, simplified, compared with the original."""
    from vcam.cli.model import prepare

    prepare(options)


@takes(ModelFolderOptions)
def _status(options: ModelFolderOptions) -> None:
    """Tell which networks are here, as published and prepared."""
    from vcam.cli.model import show_status

    show_status(options)


@takes(ModelFolderOptions)
def _verify(options: ModelFolderOptions) -> None:
    """Check each prepared network again: its hash, and its numbers against the original's."""
    from vcam.cli.model import check

    check(options)


@takes(BenchOptions)
def _bench(options: BenchOptions) -> None:
    """Measure this machine: percentiles per stage as a table, and as JSON."""
    from vcam.cli.bench import bench

    bench(options)


@takes(ImportOptions)
def _import_lfbw(options: ImportOptions) -> None:
    """Take over the settings of Linux-Fake-Background-Webcam, and tell what becomes of each of its options."""
    from vcam.cli.import_lfbw import import_lfbw

    import_lfbw(options)
