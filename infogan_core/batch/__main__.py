"""`python -m infogan_core.batch`, which people have in scripts: `python -m infogan_core batch`."""

import runpy
import sys

sys.argv.insert(1, "batch")
runpy.run_module("infogan_core", run_name="__main__")
