"""Options of ``vcam ctl``, as those of vcam.cli.options."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument

from vcam.cli.options import ConfigOpt, Opt

_scene = partial(Opt, "Background")
_more = partial(Opt, "Operation")
_reach = partial(Opt, "Which vcam, and how to ask it")
_BY_URL = "Of a vcam with control_host, as http://192.168.1.5:9436."
_SECRET = "Holds the token that the other computer asks for."


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlOptions:
    """What was typed after any command of ``vcam ctl``. Without an option, the vcam of the settings is asked."""

    socket: Annotated[Path | None, _reach("The socket of a vcam on this computer.", metavar="PATH")] = None
    url: Annotated[str | None, _reach(_BY_URL, metavar="URL")] = None
    token_file: Annotated[Path | None, _reach(_SECRET, metavar="FILE")] = None
    config: ConfigOpt = None
    json: Annotated[bool, _more("For machines.", metavar="")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlBackgroundOptions(CtlOptions):
    """What was typed after ``vcam ctl background``."""

    spec: Annotated[
        str, Argument(metavar="SPEC", help="green, color:R,G,B, blur, blur:40, image:FILE, video:FILE or none.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlColorOptions(CtlOptions):
    """What was typed after ``vcam ctl color``."""

    rgb: Annotated[str, Argument(metavar="R,G,B")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlProfileOptions(CtlOptions):
    """What was typed after ``vcam ctl profile``."""

    name: Annotated[str | None, Argument(metavar="NAME")] = None
    save: Annotated[bool, _scene("Save the scene in effect under this name.", metavar="")] = False
    delete: Annotated[bool, _scene("Delete it.", metavar="")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlSnapshotOptions(CtlOptions):
    """What was typed after ``vcam ctl snapshot``."""

    file: Annotated[Path, Argument(metavar="FILE", help="- writes to the standard output.")]
    matte: Annotated[bool, _scene("The matte instead: white is the person.", metavar="")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlSetOptions(CtlOptions):
    """What was typed after ``vcam ctl set``."""

    values: Annotated[list[str], Argument(metavar="KEY=VALUE...", help="Settings of the scene, as vcam.toml has them.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CtlEffectOptions(CtlOptions):
    """What was typed after ``vcam ctl effect``."""

    words: Annotated[
        list[str] | None,
        Argument(metavar="[KEY=VALUE... | reset [KEY...]]", help="Without any: those that are in effect."),
    ] = None
