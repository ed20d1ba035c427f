"""What is measured: names, units and how they are printed."""
