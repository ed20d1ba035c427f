"""The first page of a grid's report."""
