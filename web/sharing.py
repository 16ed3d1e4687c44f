"""Sharing a course: its link, a QR code of it, and the card that chats and networks show for it."""

from __future__ import annotations

from io import BytesIO

import segno
from flask import Response, current_app, render_template
from flask.typing import ResponseReturnValue

from cohorts.links import Links
from cohorts.policies import Act

from .auth import requires
from .desk import blueprint, own_course


@blueprint.get("/<slug>/share")
@requires(Act.LOOK)
def share(slug: str) -> ResponseReturnValue:
    """Show the link of a course, its QR code, and its card."""
    return render_template("organiser/share.html", course=own_course(slug), link=_links().course(slug))


@blueprint.get("/<slug>/share.svg")
@requires(Act.LOOK)
def qr(slug: str) -> ResponseReturnValue:
    """Give the QR code of the link of a course as a picture that prints sharply in any size."""
    course = own_course(slug)
    picture = BytesIO()
    code = segno.make(_links().course(course.slug), error="m", micro=False)
    code.save(picture, kind="svg", scale=8, border=4, dark="#000", light="#fff", xmldecl=False)
    return Response(
        picture.getvalue(),
        content_type="image/svg+xml",
        headers={"Content-Disposition": f'inline; filename="{course.slug}-qr.svg"'},
    )


def _links() -> Links:
    links: Links = current_app.extensions["links"]
    return links
