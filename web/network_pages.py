"""The connections of a course for its organisers: a picture, tables, and what they say of its cohorts."""

from __future__ import annotations

from typing import Final

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import graph, learning, network, predictors
from cohorts.models import now
from cohorts.policies import FEW, Act

from . import network_picture
from .auth import requires
from .database import session
from .desk import blueprint, own_course

ROWS: Final = 50
"""So many cohorts are in the table at once."""


@blueprint.get("/<slug>/connections")
@requires(Act.LOOK)
def connections(slug: str) -> ResponseReturnValue:
    """Show how the cohorts of a course hang together."""
    course = own_course(slug)
    found = network.of_course(session(), course, now())
    pages = max(1, -(-len(found.homes) // ROWS))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    return render_template(
        "organiser/connections.html",
        course=course,
        found=found,
        rows=found.homes[(number - 1) * ROWS : number * ROWS],
        number=number,
        pages=pages,
        picture=network_picture.draw(found),
        most_labels=network_picture.MOST_LABELS,
        few=FEW,
        many=2 * FEW,
        study=predictors.of_course(session(), course),
        least=learning.LEAST,
        weeks_silent=graph.SILENT_AFTER.days // 7,
    )


@blueprint.get("/<slug>/connections.json")
@requires(Act.LOOK)
def connections_drawn(slug: str) -> ResponseReturnValue:
    """Give the picture as numbers, for a browser that draws it by itself."""
    found = network.of_course(session(), own_course(slug), now())
    return jsonify(network_picture.draw(found).as_json())


@blueprint.post("/<slug>/connections/study")
@requires(Act.CHANGE)
def study_connections(slug: str) -> ResponseReturnValue:
    """Have the worker find out what predicts connections."""
    predictors.ask(session(), own_course(slug), now())
    session().commit()
    return redirect(url_for(".connections", slug=slug, _anchor="predictors"))
