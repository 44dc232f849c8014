"""The command line: python -m infogan_core train | batch | classifier | share | site | study | publish | results."""

from __future__ import annotations

import io
import sys
from importlib import import_module

import click

COMMANDS = {  # the module of each, which is imported when the command is called, and its line in --help
    "train": ("training.command:train", "Train a preset into a run directory."),
    "batch": ("batch.command:batch", "Run a notebook once per combination of parameter values."),
    "classifier": ("measure.train_classifier:classifier", "Train a classifier that evaluate() reads images with."),
    "share": ("show.share.page:share", "Write a run as one HTML file with live sliders."),
    "site": ("show.share.site:site", "Write a static site: sliders, notebooks, results, guides."),
    "study": ("studies.command:study", "Measure claims of the paper again, over many runs."),
    "publish": ("studies.command:publish", "Train the published runs and write their model card."),
    "results": ("studies.command:results", "Write RESULTS.md, the model cards and README's table."),
}


class LazyGroup(click.Group):
    """A group of placeholders, enough for --help and for "did you mean"; the command that is called is imported."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str, click.Command, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        module, attribute = COMMANDS[name][0].split(":")
        return name, getattr(import_module(f"infogan_core.{module}"), attribute), rest


group = LazyGroup(
    commands={name: click.Command(name, help=summary) for name, (_, summary) in COMMANDS.items()},
    help="InfoGAN: train, run notebooks in batches, measure and share. Every command has its own --help.",
)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 2 after an error of ours, which is one line; 130 after Ctrl-C. A bug keeps its traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: a file's name may be in any encoding
    try:
        return group.main(arguments or ["--help"], prog_name="python -m infogan_core", standalone_mode=False) or 0
    except click.Abort as stopped:  # click's own word for Ctrl-C
        if stopped.__cause__:
            print(stopped.__cause__, file=sys.stderr)
        return 130
    except click.ClickException as error:
        text = error.format_message()
    except ModuleNotFoundError as error:
        text = f"{error}: install it with pip install -r requirements-show.txt"
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        if not _is_ours(error):
            raise
        text = str(error)
    print("error:", *text.split(), file=sys.stderr)
    return 2


def _is_ours(error: Exception) -> bool:
    """Whether the suite raised it in words, or the operating system did; a ValueError out of a library is a bug."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "")
    return isinstance(error, OSError) or raised_in.startswith("infogan_core")


if __name__ == "__main__":
    sys.exit(main())
