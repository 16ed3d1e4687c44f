"""Accepting an invitation to organise a course: opening the link shows a button, only pressing it joins."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import people
from cohorts.language import gettext as _
from cohorts.links import Links
from cohorts.models import now

from .auth import blueprint, current_user, sign_in_as
from .database import session
from .people_pages import ROLES


@blueprint.route("/join/<token>", methods=["GET", "POST"])
def join(token: str) -> ResponseReturnValue:
    """Show who invites to what (GET), or accept (POST).

    Whoever is new to this site is signed in by it. An account that is there already is not: it may reach much
    further than this course, and a link that lives for days must not open it.
    """
    links: Links = current_app.extensions["links"]
    invitation = links.read_invitation(session(), token)
    if request.method != "POST":
        return render_template("auth/join.html", invitation=invitation, role=ROLES[invitation.role])
    user, is_new = people.accept(session(), invitation, now())
    if is_new:
        sign_in_as(user)
    session().commit()
    flash(_("You organise “%(course)s” now.", course=invitation.course.title), "good")
    here = current_user()
    if here is not None and here.id == user.id:
        return redirect(url_for("organiser.courses"))
    return redirect(url_for("auth.sign_in"))
