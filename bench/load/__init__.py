"""What makes load, and says what came back."""
