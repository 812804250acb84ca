"""Exchange calendar: holds runs until the bell."""
