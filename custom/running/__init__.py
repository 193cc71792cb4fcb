"""A command beside others: one at a time in a folder, in step with its like, ended by a signal and gone on with."""

from custom.running.going_on import training_goes_on
from custom.running.output_folder import OutputFolder

__all__ = ["OutputFolder", "training_goes_on"]
