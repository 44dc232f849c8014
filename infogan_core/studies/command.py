"""The commands `study`, `publish` and `results`; what is slow to import comes when something runs."""

from __future__ import annotations

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--source", default="download", help='All of MNIST: "download", or a path to its files.')
@click.pass_context
def study(context: click.Context, names: tuple[str, ...], source: str) -> None:
    """Measure claims of the paper again, all without a NAME: figure1, ablations, paper, seeds, embedded, fp32, sprites.

    Trains for hours on the cores of this machine. After a stop the same command goes on from the last checkpoints, and
    a finished run is only loaded. `infogan_core results` then makes the page.
    """
    from infogan_core.model.config import check_known
    from infogan_core.studies.run import ERRORS, STUDIES, make

    check_known("study", names, list(STUDIES))
    failed = False
    for name in names or STUDIES:
        try:
            click.echo(f"{name}: {make(name, source)}")
        except ERRORS as error:
            failed = True
            click.echo(f"error: {name}: {error}", err=True)
        except KeyboardInterrupt:
            click.echo("stopped; the same command goes on", err=True)
            context.exit(130)
    context.exit(int(failed))


@click.command()
@click.argument("name")
@click.argument("source")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Seeds that train side by side.")
def publish(name: str, source: str, jobs: int) -> None:
    """Train the published runs of NAME from step 0, measure them, and write their model card.

    NAME is mnist, svhn, celeba or celeba64. It trains for hours in outputs/publish/NAME, and the same command goes on
    after a stop. Only a finished and measured set is copied into outputs/published/NAME.
    """
    from infogan_core.studies.publish import make

    click.echo(f"{make(name, source, jobs)}: next, write its limits into notes.md, and call make results")


@click.command()
def results() -> None:
    """Write outputs/published/RESULTS.md, the model cards and README's table from the files of the runs and studies."""
    from infogan_core.files import PROJECT, PUBLISHED, write_whole
    from infogan_core.recipes.presets import PUBLISHED_RUNS
    from infogan_core.studies.card import card
    from infogan_core.studies.numbers import fill, page

    files = {PUBLISHED / "RESULTS.md": page(), (readme := PROJECT / "README.md"): fill(readme.read_text())}
    trained = [PUBLISHED / name for name in PUBLISHED_RUNS if (PUBLISHED / name / "metrics.json").is_file()]
    files |= {folder / "README.md": card(folder) for folder in trained}
    for file, text in files.items():
        write_whole(file, text.encode())
        click.echo(file)
