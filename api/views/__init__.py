"""Every route: what a request is turned into, and what it is answered with."""

from api.views import changes, editing, events, geocode, imports, places, schemas, service, tiles

_PARTS = (service, schemas, events, editing, imports, changes, places, geocode, tiles)
BLUEPRINTS = [part.blueprint for part in _PARTS]
