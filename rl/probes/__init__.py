"""What keeps an evaluation from being fooled: controls, degradations and prompt injection."""
