"""What becomes of the figures: tables, a file that programs read, a picture."""
