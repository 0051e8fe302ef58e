"""A geocoder on this machine that speaks as Nominatim and Photon do."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Stub(BaseHTTPRequestHandler):
    """Answers as Nominatim and Photon do, or with the status that the path begins with."""

    def do_GET(self):
        url = urlsplit(self.path)
        self.server.asked.append(self.path)
        query = parse_qs(url.query).get("q", [""])[0]
        status = 500 if "broken" in url.path else 200
        if "photon" in url.path:
            point = {"type": "Point", "coordinates": [1.5, 2.5]}
            features = [{"geometry": point, "properties": {"name": query}}]
            body = {"features": features if query == "Nowhereville" else []}
        elif "reverse" in url.path:
            body = {"display_name": "There", "lat": "2.5", "lon": "1.5"}
        else:
            found = {"display_name": query, "lat": "2.5", "lon": "1.5"}
            body = [found] if query == "Nowhereville" else []
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args):
        pass


@contextmanager
def stub():
    """Run the geocoder; `asked` lists the paths it was asked for."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()
        thread.join()
