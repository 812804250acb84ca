"""What every service stands on: events, topics, the rule of the bus, time, storage."""
