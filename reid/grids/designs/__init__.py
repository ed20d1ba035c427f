"""Which arms a grid trains, and in which portions."""
