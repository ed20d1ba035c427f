"""The paper's six tricks by name, in the order of its tables (Luo et al., CVPRW 2019, table 1)."""

PAPER_TRICKS = ("warmup", "random_erasing", "label_smoothing", "last_stride", "bnneck", "center_loss")
