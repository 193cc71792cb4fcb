"""A forest of sets that are made one: each node points to one of its set, the root to itself."""

from __future__ import annotations

from custom.base.compiling import compiled


@compiled
def root_of(parent, node):  # type: ignore[no-untyped-def]
    """The root of a node's set; `parent` is int (n,), and paths in it become shorter."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
