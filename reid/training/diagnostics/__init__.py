"""What a training says of itself: oscillation, conflict of gradients, collapse."""
