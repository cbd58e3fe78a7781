"""Turns the OpenAPI document of a server into the generated files of the clients."""
