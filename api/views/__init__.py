"""Every route: what a request is turned into, and what it is answered with."""

from api.views import changes, editing, events, geocode, places, schemas, service, tiles

_PARTS = (service, schemas, events, editing, changes, places, geocode, tiles)
BLUEPRINTS = [part.blueprint for part in _PARTS]
