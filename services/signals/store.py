"""Tables of signals."""

from shared.db import make_metadata
from shared.recorded import recorded_table

metadata = make_metadata("signals")
recorded = recorded_table(metadata)
