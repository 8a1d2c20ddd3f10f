"""A backend that says which version it is; what makes its image heavy is never used."""

import http.server
import signal
import threading

VERSION = "first"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = VERSION.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
# The first process of a container is only ended by signals that it handles.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
