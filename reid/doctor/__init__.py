"""What is damaged in an output folder and what of it can be mended; whether this machine has what reid needs."""
