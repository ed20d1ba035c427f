"""The report of a grid, a file a page."""
