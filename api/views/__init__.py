"""Every route: what a request is turned into, and what it is answered with."""

from api.views import events, geocode, places, schemas, service

BLUEPRINTS = [
    service.blueprint,
    schemas.blueprint,
    events.blueprint,
    places.blueprint,
    geocode.blueprint,
]
