"""The async client: a pump for the flow, resources of one-line methods, pages, streams."""
