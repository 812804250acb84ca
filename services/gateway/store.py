"""Tables of the gateway."""

from shared.db import make_metadata
from shared.holding import held_table
from shared.recorded import recorded_table

metadata = make_metadata("gateway")
recorded = recorded_table(metadata)
held = held_table(metadata)
