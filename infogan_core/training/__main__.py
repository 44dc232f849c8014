"""`torchrun -m infogan_core.training`: `python -m infogan_core train` on several processes."""

import sys

from infogan_core.training.command import main

sys.exit(main())
