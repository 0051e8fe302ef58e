"""What the service reaches, as ratios against the database alone: `make bench`."""
