"""The study as one command: trainings, E-Net's search, scores, costs, tables and figures.

`cost` needs torch alone; whatever draws needs the extra `study` (matplotlib).
"""
