"""The tables and shapes that come with `geo`, and the script that makes the shapes (make.md)."""
