"""What every room may use: refusals, names that can be shown, files that are whole or not there, locked, known again."""
