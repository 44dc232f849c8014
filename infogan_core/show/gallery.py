"""The published runs on one page, a tab each."""

from __future__ import annotations

from html import escape
from pathlib import Path

import ipywidgets as widgets

from infogan_core.recipes.presets import PRESETS
from infogan_core.runs import load_run
from infogan_core.show.explorer.explorer import Explorer

WEIGHTS = "weights.safetensors"


class Gallery(widgets.Tab):
    """A tab for each run below `folder`, the presets' first: its Explorer, built when the tab is first opened.

    A run that does not load says why in its tab. Raises FileNotFoundError where there is none.
    """

    def __init__(self, folder: str | Path = "outputs/published") -> None:
        paths = sorted(file.parent for file in Path(folder).glob(f"*/{WEIGHTS}"))
        paths.sort(key=lambda path: [*PRESETS, path.name].index(path.name))
        if not paths:
            raise FileNotFoundError(f"{folder} holds no runs: give a folder whose subfolders hold a {WEIGHTS} each")
        self._paths = paths
        super().__init__([widgets.VBox() for _ in paths], titles=[path.name for path in paths], selected_index=0)
        self.observe(lambda change: self._open(change["new"]), "selected_index")
        self._open(0)

    def _open(self, index: int | None) -> None:
        if index is not None and not self.children[index].children:
            self.children[index].children = [_shown(self._paths[index])]


def _shown(path: Path) -> widgets.Widget:
    try:
        return Explorer(load_run(path, "cpu"))
    except (OSError, ValueError) as error:
        return widgets.HTML(f'<span role="alert">{escape(str(error))}</span>')
