"""Ask two models, hide their names, keep the verdict."""

import os

# Boards are small matrices. On several threads the linear algebra under numpy takes ten times the processor for them,
# most of it waiting for one another; it reads these when numpy is loaded, which nothing has done yet.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
