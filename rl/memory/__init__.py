"""What a training run will need, found out without weights: everything is built on meta tensors."""
