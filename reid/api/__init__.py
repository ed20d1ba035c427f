"""What a program calls: data sets, training, grids and studies in one call each."""
