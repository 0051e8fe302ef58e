"""HTTP in and out, the store, import and export, and the command line."""

from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

from flask import Flask, Response
from flask_compress import Compress
from psycopg_pool import ConnectionPool
from werkzeug.middleware.proxy_fix import ProxyFix

from api import access, answers, feed, geocoders, html, problems
from api.db import Connection, Pool, open_pool, open_writing_pool
from api.gazetteer import Names
from api.settings import Settings
from api.siting import Siting
from api.turns import Turns
from api.views import BLUEPRINTS
from api.watching import Watch
from geo.geocoders import Cascade

COMPRESSIBLE = [
    "application/json",
    "application/geo+json",
    "application/schema+json",
    "application/vnd.oai.openapi+json",
    "application/problem+json",
    "application/geo+json-seq",
    "text/csv",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.mapbox.tile+json",
    "text/html",
    "text/css",
    "image/svg+xml",
]


@dataclass(frozen=True)
class Service:
    """What views need of the application."""

    settings: Settings
    pool: Pool
    #: For writes alone.
    writing: Pool
    names: Names
    siting: Siting
    geocoders: Cascade | None
    #: Room for files, which take long: half of the connections.
    files: BoundedSemaphore
    #: Room for files that arrive, which takes as long: they need connections that write.
    arrivals: BoundedSemaphore
    turns: Turns
    watch: Watch


def create_app(settings: Settings, pool: Pool | None = None) -> Flask:
    """Put the service together: the only place where its parts meet.

    `pool` may be handed in by those who hold a connection of their own.
    """
    app = Flask(__name__)
    writing = pool or _opened(app, open_writing_pool(settings))
    pool = pool or _opened(app, open_pool(settings))
    names = Names(Path(settings.gazetteer))
    turns = Turns(settings.pool_size)
    app.extensions["hudna"] = Service(
        settings=settings,
        pool=pool,
        writing=writing,
        names=names,
        siting=Siting(names),
        geocoders=geocoders.cascade(
            pool, settings.geocoders, settings.user_agent, settings.geocoder_pause_s
        ),
        files=BoundedSemaphore(max(1, settings.pool_size // 2)),
        arrivals=BoundedSemaphore(max(1, settings.pool_size)),
        turns=turns,
        watch=Watch(lambda: feed.heads(pool), turns, settings.waiters),
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined] # Flask's default provider has it
    app.url_map.strict_slashes = False
    app.config.update(
        COMPRESS_MIMETYPES=COMPRESSIBLE,
        COMPRESS_ALGORITHM=["zstd", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["zstd", "gzip"],
        COMPRESS_ZSTD_LEVEL=1,
        COMPRESS_LEVEL=1,
    )
    problems.init_app(app)
    access.init_app(app)
    html.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    Compress(app)
    answers.init_app(app)
    if settings.proxies:
        n = settings.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign] # the way Flask's manual tells
            app.wsgi_app, x_for=n, x_proto=n, x_host=n, x_port=n, x_prefix=n
        )
    return app


def _opened(app: Flask, pool: ConnectionPool[Connection]) -> Pool:
    """Return a pool that is opened with the first request, which is after any fork."""

    @app.before_request
    def open_once() -> Response | None:
        if pool.closed:
            pool.open()
        return None

    return pool
