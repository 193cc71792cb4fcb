"""What scanners, and the programs beside them, write: a format a file, in `formats` like all others."""
