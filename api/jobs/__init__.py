"""Imports that were sent over HTTP: they arrive, are kept, and are done one after another."""
