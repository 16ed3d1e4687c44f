"""My data: everything held about a learner, to see, correct, take along, hide, and erase."""

from __future__ import annotations

import json

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cohorts import person_blocks, privacy, signups
from cohorts.exceptions import InvalidInput
from cohorts.language import gettext as _
from cohorts.models import Signup, SignupState, now
from cohorts.wording import in_words

from . import change_pages, held
from .changes_forms import BlockForm
from .database import session
from .personal import blueprint, own_signup, refuse


@blueprint.get("/l/<token>/my-data")
def my_data(token: str) -> ResponseReturnValue:
    """Show everything held about a learner."""
    return _page(token, own_signup(token), BlockForm(formdata=None))


@blueprint.get("/l/<token>/my-data.json")
def download(token: str) -> ResponseReturnValue:
    """Give everything held about a learner as a file."""
    signup = own_signup(token)
    content = json.dumps(privacy.export(session(), signup), ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": f'attachment; filename="{signup.course.slug}-my-data.json"'}
    return Response(content + "\n", mimetype="application/json", headers=headers)


@blueprint.post("/l/<token>/findable")
def be_findable(token: str) -> ResponseReturnValue:
    """Let others in the course find a learner by name, or not any more."""
    signup = own_signup(token)
    signup.findable = request.form.get("findable") == "yes"
    session().commit()
    flash(_("Others in your course can find you by name.") if signup.findable else _("Nobody can find you."))
    return redirect(url_for(".my_data", token=token, _anchor="findable"))


@blueprint.post("/l/<token>/answers/<key>/take-back")
def take_back(token: str, key: str) -> ResponseReturnValue:
    """Forget one answer; the sign-up stays."""
    signups.forget_answer(session(), own_signup(token), key)
    session().commit()
    flash(_("That answer is taken back."))
    return redirect(url_for(".my_data", token=token, _anchor="answers"))


@blueprint.post("/l/<token>/block")
def block(token: str) -> ResponseReturnValue:
    """Block somebody the learner knew, or an address."""
    signup = own_signup(token)
    form = BlockForm(request.form)
    key = request.form.get("key", "")
    try:
        person_blocks.block(session(), signup, key=key, email=form.email.data or "", at=now())
    except InvalidInput as error:
        session().rollback()
        refuse(form, error)
        return _page(token, own_signup(token), form), 422
    session().commit()
    flash(_("Done. You will not be put together with them again, and nobody is told."))
    return redirect(url_for(".my_data", token=token, _anchor="blocked"))


@blueprint.post("/l/<token>/unblock/<key>")
def unblock(token: str, key: str) -> ResponseReturnValue:
    """Take a block back."""
    person_blocks.unblock(session(), own_signup(token), key)
    session().commit()
    return redirect(url_for(".my_data", token=token, _anchor="blocked"))


@blueprint.get("/l/<token>/erase")
def ask_to_erase(token: str) -> ResponseReturnValue:
    """Ask once more before everything is erased."""
    signup = own_signup(token)
    return render_template("learner/erase.html", signup=signup, course=signup.course, token=token)


@blueprint.post("/l/<token>/erase")
def erase(token: str) -> ResponseReturnValue:
    """Erase everything held about a learner."""
    privacy.erase(session(), own_signup(token), now())
    session().commit()
    flash(_("Everything we held about you in this course is erased."))
    return redirect(url_for(".home"))


def _page(token: str, signup: Signup, form: BlockForm) -> str:
    blocks = person_blocks.of(session(), signup)
    hidden = {each.digest for each in blocks}
    people = person_blocks.knew(session(), signup)
    return render_template(
        "learner/my_data.html",
        signup=signup,
        course=signup.course,
        token=token,
        form=form,
        answers=[each for each in in_words(signup) if getattr(signup, each.key, True) and each.words],
        held=list(held.in_words(signup)),
        blocks=blocks,
        people=[each for each in people if person_blocks.digest(each.email) not in hidden],
        can_edit=signup.state is SignupState.CONFIRMED,
        **change_pages.quiet(signup),
    )
