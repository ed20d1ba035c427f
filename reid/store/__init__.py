"""Everything on disk: run folders, plans, studies, and who may write them."""
