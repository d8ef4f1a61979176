# Made from settlekit/_async by scripts/unasync.py: edit that, then run it again.
"""The sync client: a pump for the flow, resources of one-line methods, pages, streams."""
