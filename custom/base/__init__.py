"""What every room may use: refusals, text that can be shown, classes and colours, files (whole, locked, known), cores, kernels compiled."""
