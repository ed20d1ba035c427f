"""A report's elements as PDF, HTML and LaTeX."""
