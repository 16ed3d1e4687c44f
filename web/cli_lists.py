"""Commands that show what there is: courses, sign-ups and runs, for people or with ``--json`` for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API gives it.")


def _print(items: Iterable[dict[str, Any]], as_json: bool, line: Callable[[dict[str, Any]], str]) -> None:
    if as_json:
        click.echo(json.dumps(list(items), ensure_ascii=False, indent=1))
        return
    for item in items:
        click.echo(line(item))


@click.command(name="courses")
@as_json
def courses_command(as_json: bool) -> None:
    """List the courses: the last part of the address, state, first day, title.

    Example: cohorts courses --json
    """
    # Only what a command needs is loaded, so that the others start at once.
    from sqlalchemy import select

    from cohorts.models import Course

    from .api_schemas import CourseOut, one
    from .cli_files import opened

    with opened() as database, database.reading() as session:
        found = session.scalars(select(Course).order_by(Course.id)).all()
        items = [one(each, CourseOut) for each in found]
    _print(items, as_json, lambda it: f"{it['slug']}\t{it['state']}\t{it['start']}\t{it['title']}")


@click.command(name="signups")
@click.argument("course")
@as_json
def signups_command(course: str, as_json: bool) -> None:
    """List the sign-ups of COURSE (the last part of its address): state, e-mail, name.

    Example: cohorts signups play-with-your-music --json
    """
    from sqlalchemy import select
    from sqlalchemy.orm import selectinload

    from cohorts.models import Signup

    from .api_schemas import SignupOut, one
    from .cli_files import named_course, opened

    with opened() as database, database.reading() as session:
        here = select(Signup).where(Signup.course_id == named_course(session, course).id)
        found = session.scalars(here.order_by(Signup.id).options(selectinload(Signup.interests))).all()
        items = [one(each, SignupOut) for each in found]
    _print(items, as_json, lambda it: f"{it['state']}\t{it['email']}\t{it['name']}")


@click.command(name="runs")
@click.argument("course")
@as_json
def runs_command(course: str, as_json: bool) -> None:
    """List the runs of COURSE (the last part of its address), newest first: key, kind, state, placed.

    Example: cohorts runs play-with-your-music --json
    """
    from cohorts import runs

    from .api_schemas import RunOut, one
    from .cli_files import named_course, opened

    with opened() as database, database.reading() as session:
        items = [one(each, RunOut) for each in runs.for_course(session, named_course(session, course))]
    _print(
        items,
        as_json,
        lambda it: f"{it['key']}\t{it['kind']}\t{it['state']}\t{it['n_placed']} of {it['n_learners']}",
    )
