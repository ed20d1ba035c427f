"""`reid doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from reid.cli.options import OUTPUT
from reid.cli.views.screen import say
from reid.errors import InputError


def doctor(
    output: Annotated[
        Path | None, typer.Argument(help="Output folder; default: output, and what this machine has.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Write anew what can be, and set the rest aside; nothing is lost.")
    ] = False,
) -> None:
    """What is damaged in an output folder; without one also what this machine lacks. Ends with 1 where it finds any."""
    from reid.doctor.damage import find_damage

    sound = output is not None or show_environment()
    place = output or OUTPUT
    if output is not None and not output.is_dir():
        raise InputError(f"{output}: must be an output folder, found none there; give the folder of --output")
    found = list(find_damage(place))
    left = len(found)
    for damage in found:
        say(f"{damage.path}: {damage.problem}")
        if not repair:
            say(f"  --repair {damage.remedy}")
            continue
        try:
            damage.mend()
        except (OSError, InputError) as error:
            say(f"  not repaired: {error}")
        else:
            say(f"  repaired: {damage.remedy}")
            left -= 1
    say(f"{place}: {len(found)} damaged" + (f", {len(found) - left} repaired" if repair else ""))
    raise typer.Exit(0 if sound and not left else 1)


def show_environment() -> bool:
    """A line for each thing that this machine has; whether nothing is wrong with any."""
    from reid.doctor.environment import parts

    sound = True
    for part in parts(OUTPUT):
        say(f"{part.name:<11} {part.found}" + (f"; WRONG: {part.problem}" if part.problem else ""))
        sound = sound and not part.problem
    return sound
