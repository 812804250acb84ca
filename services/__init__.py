"""The services of openbell. None imports another; they meet on the topics of ``shared.topics``."""
