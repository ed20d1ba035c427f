"""Where runs are trained: on this machine, on a Ray cluster, as Slurm jobs."""
