"""What the runs mean: tables in, tables out."""
