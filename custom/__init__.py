"""The Python that the bundle's configs wire together."""
