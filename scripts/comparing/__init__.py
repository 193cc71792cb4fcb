"""The methods that users would pick instead, each trained and scored on the same slices in the same time."""
