"""The door: declared routes, tokens and roles, errors, envelopes, the OpenAPI document."""
