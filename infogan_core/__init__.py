"""InfoGAN (Chen et al. 2016, arXiv 1606.03657): latents, losses, networks, training, measures and sliders."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.1.0"
PUBLIC = {  # the module of every public name; each is imported on first use
    "model.latents": "Categorical LatentSpec Uniform",
    "model.networks": "Discriminator Generator",
    "model.losses": "d_loss g_loss info_loss mi_bound",
    "model.config": "Config",
    "recipes.presets": "PRESETS about check_claims preset",
    "data.images": "ImageSet",
    "data.load": "load_images",
    "runs": "Run build layers load_run publish",
    "training.train": "train",
    "training.step": "DObjective GObjective Step",
    "training.progress": "progress",
    "measure.classifier": "Classifier load_classifier",
    "measure.evaluate": "evaluate",
    "measure.select": "select_run",
    "measure.summary": "summary",
    "show.curves": "curves",
    "show.figures": "grid real_and_generated samples save_png save_traversals show traversal traversal_figure",
    "show.explorer.explorer": "Explorer",
    "show.gallery": "Gallery",
    "notebook": "about_data config_for source start_in_project train_or_load",
}
MODULE_OF = {name: module for module, names in PUBLIC.items() for name in names.split()}
OLD = {"Features": "Classifier", "load_features": "load_classifier"}  # names of earlier versions
__all__ = sorted(MODULE_OF)


def __getattr__(name: str) -> Any:
    name = OLD.get(name, name)
    if name not in MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]


class _Package(ModuleType):
    """`ig.show` is a function, and `show/` a folder: importing the folder does not hide the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in MODULE_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
