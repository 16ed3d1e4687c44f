"""What goes over the wire compressed: files that are the same for everybody, and a course's public page.

The length of a compressed answer tells something about what is in it. Where a secret and words of an
attacker's choice stand in one page, that is enough to guess the secret letter by letter, so pages are sent as
they are. The page of a course is the largest and the first that learners load. As a stranger opens it, it
repeats nothing of the request, and the token in it guards nothing but a sign-up.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask_compress import Compress

from .auth import is_anybody_signed_in


def init_app(app: Flask) -> None:
    """Compress what may be compressed."""
    app.config.update(
        COMPRESS_MIMETYPES=["text/css", "text/html", "text/javascript", "image/svg+xml"],
        COMPRESS_STREAMS=False,
        COMPRESS_REGISTER=False,
    )
    compress = Compress(app)

    @app.after_request
    def send_less(response: Response) -> Response:
        if response.mimetype == "text/html" and not _tells_no_secret():
            return response
        if request.endpoint == "static" and response.direct_passthrough:
            # What is streamed stays uncompressed, and our files are small.
            response.direct_passthrough = False
            response.make_sequence()
        return compress.after_request(response)


def _tells_no_secret() -> bool:
    return request.endpoint == "learner.course" and not is_anybody_signed_in()
