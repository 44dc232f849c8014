"""`python -m infogan_core.batch`, which people have in scripts: `python -m infogan_core batch`."""

import sys

from infogan_core.batch.run import main

sys.exit(main())
