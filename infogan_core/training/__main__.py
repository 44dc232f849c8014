"""`torchrun -m infogan_core.training`: `python -m infogan_core train` on several processes."""

import runpy
import sys

sys.argv.insert(1, "train")
runpy.run_module("infogan_core", run_name="__main__")
