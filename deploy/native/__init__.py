"""The native stack: Kafka, PostgreSQL, a small LLM, the simulator and all services as processes."""
