"""Every route: what a request is turned into, and what it is answered with."""

from api.views import changes, events, geocode, places, schemas, service, tiles

BLUEPRINTS = [
    part.blueprint for part in (service, schemas, events, changes, places, geocode, tiles)
]
