"""The published runs on one page, a tab each."""

from __future__ import annotations

from pathlib import Path

import ipywidgets as widgets

from infogan_core.recipes.presets import PUBLISHED_RUNS
from infogan_core.runs import load_run
from infogan_core.show.explorer.explorer import Explorer, alert

WEIGHTS = "weights.safetensors"


class Gallery(widgets.Tab):
    """The published runs on one page: a tab with an Explorer for each run in `folder`, built when it is first opened.

    A run that does not load says why in its tab. Raises FileNotFoundError where there is none.
    """

    def __init__(self, folder: str | Path = "outputs/published") -> None:
        self._paths = sorted(file.parent for file in Path(folder).glob(f"*/{WEIGHTS}"))
        self._paths.sort(key=lambda path: [*PUBLISHED_RUNS, path.name].index(path.name))
        if not self._paths:
            raise FileNotFoundError(f"{folder} holds no runs: give a folder whose subfolders hold a {WEIGHTS} each")
        titles = [path.name for path in self._paths]
        super().__init__([widgets.VBox() for _ in titles], titles=titles, selected_index=0)
        self.observe(lambda change: self._open(change["new"]), "selected_index")
        self._open(0)

    def _open(self, index: int | None) -> None:
        if index is None or self.children[index].children:
            return
        try:
            content = Explorer(load_run(self._paths[index], "cpu"))
            if index == 0:  # the tab that an address opens first
                content.open_run = self._open_named
        except (OSError, ValueError) as error:
            content = widgets.HTML(alert(error))
        self.children[index].children = [content]

    def _open_named(self, name: str) -> None:
        """The tab that an address names."""
        if name in self.titles:
            self.selected_index = self.titles.index(name)
