"""The trunks."""
