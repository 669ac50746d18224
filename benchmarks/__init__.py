"""What it costs: measured, printed, never asserted."""
