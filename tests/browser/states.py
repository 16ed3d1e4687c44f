"""Every page and every state it can be in: one list for the checks of accessibility and for the pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.sign_up import fill_in_person
from tests.browser.ways import send_by


@dataclass(frozen=True, slots=True)
class State:
    """One page in one state.

    Attributes:
        name: What the pictures and tests are called.
        endpoint: The page's name in the URL map; ``""`` for one about an error, or that a form answers with.
        path: Its address, with the names of ``World.words`` in braces.
        who: Who is signed in: nobody, or a name of ``World.users``.
        act: What to do there before the state is reached.
        rtl: Whether the page is shown from right to left, as it is to who reads Arabic or Hebrew.
        bare: Whether nobody has made a course yet.
        status: What the server answers at first.
    """

    name: str
    endpoint: str
    path: str
    who: str = ""
    act: Callable[[Page], None] | None = None
    rtl: bool = False
    bare: bool = False
    status: int = 200


def press(name: str) -> Callable[[Page], None]:
    """Press the button with this name."""
    return lambda page: send_by(page.locator("main").get_by_role("button", name=name, exact=True))


def _unfold(page: Page) -> None:
    """Open everything that is folded away."""
    page.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")


def _send_empty(page: Page) -> None:
    """Send a form with nothing in it, past what a browser would say about it by itself."""
    page.evaluate("for (const field of document.forms) field.noValidate = true")
    with page.expect_navigation():
        page.locator("main form[method=post] button:not([type=button])").last.evaluate(
            "(it) => it.form.submit()"
        )


def _send_without_a_name(page: Page) -> None:
    page.locator("#name").evaluate("field => { field.value = '' }")
    _send_empty(page)


def _enter_a_wrong_code(page: Page) -> None:
    page.get_by_label("Code").fill("not a code")
    press("Sign in")(page)


def _ask_for_link(page: Page) -> None:
    page.get_by_label("E-mail").fill("stranger@example.org")
    send_by(page.get_by_role("button", name="Send"))


def _ask_for_old_answers(page: Page) -> None:
    page.get_by_label("The e-mail address you used then").fill("stranger@example.org")
    page.get_by_role("button", name="Mail me the link").click()
    page.wait_for_load_state()


def _rematch_with_less_than_nothing(page: Page) -> None:
    page.evaluate("for (const field of document.forms) field.noValidate = true")
    page.locator("#max_moves").fill("-1")
    press("Rematch")(page)


def _rule_with_less_than_nothing(page: Page) -> None:
    page.evaluate("for (const field of document.forms) field.noValidate = true")
    page.locator("#act_within").fill("-1")
    press("Save")(page)


def _fix_too_late(page: Page) -> None:
    """Fix a time on a page that is older than the last change."""
    seen = "for (const field of document.getElementsByName('seen')) field.value = '0'"
    page.evaluate(seen)
    send_by(page.get_by_role("button", name="Fix this").last)


def _change_too_late(page: Page) -> None:
    """Change a board on a page that is older than the last change."""
    page.evaluate("for (const field of document.getElementsByName('seen')) field.value = '0'")
    press("Pin Early birds")(page)


def _name_as_another(page: Page) -> None:
    page.get_by_label("Name of Early birds").last.evaluate("it => { it.closest('details').open = true }")
    page.get_by_role("textbox", name="Name of Early birds").fill("Night owls")
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_load_state()


def _talk_nowhere(page: Page) -> None:
    """Give a cohort a link that is none, on the board."""
    field = page.locator("input[name=channel]").first
    field.evaluate("field => { field.closest('details').open = true; field.form.noValidate = true }")
    field.fill("javascript:alert(1)")
    page.get_by_role("button", name="Save the link of Early birds").click()
    page.wait_for_load_state()


def _set_no_link(page: Page) -> None:
    page.locator("#channel").evaluate(
        "field => { field.closest('details').open = true; field.form.noValidate = true }"
    )
    page.get_by_label("Address of the room").fill("javascript:alert(1)")
    send_by(page.get_by_role("button", name="Save the link"))


def _pause_without_a_day(page: Page) -> None:
    page.get_by_label("I am back on").evaluate("field => { field.form.noValidate = true }")
    press("Pause")(page)


def _write_no_hours(page: Page) -> None:
    page.get_by_label("Free hours where a row names none").fill("whenever")
    press("See what would happen")(page)


def _name_nobody(page: Page) -> None:
    page.get_by_text("Somebody outside your cohort?").click()
    page.get_by_label("I also talked with").first.fill("Nobody at all")
    send_by(page.get_by_role("button", name="Save"))


def _invite_nobody(page: Page) -> None:
    page.get_by_role("button", name="Send the invitation").click()
    page.wait_for_load_state()


def _connect_with_nobody(page: Page) -> None:
    page.get_by_label("Or somebody else").fill("Nobody at all")
    press("Add")(page)


def _open_network(page: Page) -> None:
    """Move around in the picture of a network, with the table of it open."""
    page.get_by_role("button", name="Move around in it").click()
    page.locator(".network-tools").wait_for()
    page.get_by_text("As a table").click()


def _say_younger(page: Page) -> None:
    page.get_by_label("I am younger than that").check()


def _send_younger(page: Page) -> None:
    _say_younger(page)
    _send_empty(page)


def _go_on(page: Page) -> None:
    page.locator(".step-nav .button--large").click()


def _to_week(page: Page) -> None:
    fill_in_person(page)


def _to_week_without_hours(page: Page) -> None:
    _to_week(page)
    _go_on(page)


def _mark_week(page: Page) -> None:
    """Mark some hours as free and some as if needed, and wait for the count."""
    _to_week(page)
    page.get_by_role("button", name="Weekday evenings").click()
    page.locator("label.brush", has_text="If needed").click()
    page.get_by_role("button", name="Weekends").click()
    page.locator(".company.told").wait_for()


def _mark_whole_week(page: Page) -> None:
    _to_week(page)
    page.evaluate(
        """() => { for (const cell of document.querySelectorAll("[name=availability]")) cell.checked = true;
        document.querySelector("availability-grid").refresh(); }"""
    )
    page.locator("[data-whole]").wait_for()


def _to_last_step(page: Page) -> None:
    _mark_week(page)
    while page.locator(".step-nav .button--large").is_visible():
        _go_on(page)


def _come_back_to_draft(page: Page) -> None:
    """Leave half-way and open the page again."""
    _mark_week(page)
    _go_on(page)
    page.reload()
    page.locator("[data-offer]").wait_for()


ORGANISER, NEWCOMER, FACILITATOR, READER, CAREFUL = (
    "organiser",
    "newcomer",
    "facilitator",
    "reader",
    "careful",
)

LEARNERS_PAGES = (
    State("home", "learner.home", "/"),
    State("home-empty", "learner.home", "/", bare=True),
    State("home-right-to-left", "learner.home", "/", rtl=True),
    State("course", "learner.course", "/c/usual"),
    State("course-first", "learner.course", "/c/first"),
    State("course-errors", "learner.course", "/c/usual", act=_send_empty),
    State("course-step-errors", "learner.course", "/c/usual", act=_go_on),
    State("course-week", "learner.course", "/c/usual", act=_to_week),
    State("course-week-errors", "learner.course", "/c/usual", act=_to_week_without_hours),
    State("course-week-marked", "learner.course", "/c/usual", act=_mark_week),
    State("course-week-whole", "learner.course", "/c/usual", act=_mark_whole_week),
    State("course-last-step", "learner.course", "/c/usual", act=_to_last_step),
    State("course-draft", "learner.course", "/c/usual", act=_come_back_to_draft),
    State("course-full", "learner.course", "/c/full"),
    State("course-later", "learner.course", "/c/later"),
    State("course-late", "learner.course", "/c/running"),
    State("course-over", "learner.course", "/c/over"),
    State("course-long", "learner.course", "/c/long-form"),
    State("course-many", "learner.course", "/c/many-interests"),
    State("course-right-to-left", "learner.course", "/c/arabic-form", rtl=True),
    State("course-questions", "learner.course", "/c/questions"),
    State("course-questions-errors", "learner.course", "/c/questions", act=_send_empty),
    State("course-questions-right-to-left", "learner.course", "/c/questions", rtl=True),
    State("course-age", "learner.course", "/c/ages"),
    State("course-age-step-errors", "learner.course", "/c/ages", act=_go_on),
    State("course-age-errors", "learner.course", "/c/ages", act=_send_empty),
    State("course-age-right-to-left", "learner.course", "/c/ages", act=_say_younger, rtl=True),
    State("too-young", "", "/c/ages", act=_send_younger),
    State("thanks", "learner.thanks", "/c/usual/thanks"),
    State("old-answers", "learner.ask_for_old_answers", "/c/usual/old-answers"),
    State(
        "old-answers-sent", "learner.ask_for_old_answers", "/c/usual/old-answers", act=_ask_for_old_answers
    ),
    State("join", "learner.join", "/l/{answered}/join/usual"),
    State("join-errors", "learner.join", "/l/{answered}/join/usual", act=_send_without_a_name),
    State("join-right-to-left", "learner.join", "/l/{arabic_placed}/join/arabic-form", rtl=True),
    State("confirm", "learner.mine", "/l/{pending}"),
    State("mine-signed-up", "learner.mine", "/l/{signed_up}"),
    State("mine-waiting", "learner.mine", "/l/{waiting}"),
    State("mine-unplaced", "learner.mine", "/l/{unplaced}"),
    State("mine-placed", "learner.mine", "/l/{placed}"),
    State("mine-withdrawn", "learner.mine", "/l/{withdrawn}"),
    State("mine-long", "learner.mine", "/l/{long_unplaced}"),
    State("mine-many", "learner.mine", "/l/{many_placed}"),
    State("mine-right-to-left", "learner.mine", "/l/{arabic_placed}", rtl=True),
    State("edit", "learner.edit", "/l/{signed_up}/edit"),
    State("edit-questions", "learner.edit", "/l/{answered}/edit"),
    State("mine-questions", "learner.mine", "/l/{answered}"),
    State("edit-many", "learner.edit", "/l/{many_placed}/edit"),
    State("withdraw", "learner.leave", "/l/{placed}/withdraw"),
    State("withdraw-long", "learner.leave", "/l/{long_placed}/withdraw"),
    State("cohort", "learner.cohort", "/l/{placed}/cohort"),
    State("cohort-long", "learner.cohort", "/l/{long_placed}/cohort"),
    State("cohort-many", "learner.cohort", "/l/{many_placed}/cohort"),
    State("cohort-right-to-left", "learner.cohort", "/l/{arabic_placed}/cohort", rtl=True),
    State("cohort-convenor", "learner.cohort", "/l/{convenor}/cohort"),
    State("cohort-fixed", "learner.cohort", "/l/{met}/cohort"),
    State("cohort-fixed-by-another", "", "/l/{convenor}/cohort", act=_fix_too_late),
    State("cohort-link-errors", "", "/l/{convenor}/cohort", act=_set_no_link),
    State("meeting", "learner.meeting", "/l/{met}/meetings/{meeting-next}"),
    State("meeting-begun", "learner.meeting", "/l/{met}/meetings/{meeting-last}"),
    State("meeting-moved", "learner.meeting", "/l/{met}/meetings/20200106T1800Z", status=404),
    State("mine-checking", "learner.mine", "/l/{checking}"),
    State("mine-paused", "learner.mine", "/l/{paused}"),
    State("mine-between", "learner.mine", "/l/{between}"),
    State("mine-asked", "learner.mine", "/l/{asked}"),
    State("mine-gone", "learner.mine", "/l/{gone}"),
    State("mine-unreachable", "learner.mine", "/l/{unreachable}"),
    State("still-here", "learner.still_here", "/l/{asked}/still-here"),
    State("still-here-gone", "learner.still_here", "/l/{gone}/still-here"),
    State("still-here-nothing", "learner.still_here", "/l/{checked}/still-here"),
    State("still-here-right-to-left", "learner.still_here", "/l/{asked}/still-here", rtl=True),
    State("check-in", "learner.check_in", "/l/{checking}/check-in"),
    State("check-in-given", "learner.check_in", "/l/{checked}/check-in"),
    State("check-in-errors", "learner.check_in", "/l/{checking}/check-in", act=_name_nobody),
    State("check-in-right-to-left", "learner.check_in", "/l/{checked}/check-in", rtl=True),
    State("changes", "learner.changes", "/l/{checking}/changes"),
    State("changes-paused", "learner.changes", "/l/{paused}/changes"),
    State("changes-between", "learner.changes", "/l/{between}/changes"),
    State("changes-errors", "", "/l/{checking}/changes", act=_pause_without_a_day),
    State("changes-empty", "learner.changes", "/l/{long_placed}/changes"),
    State("changes-right-to-left", "learner.changes", "/l/{arabic_placed}/changes", rtl=True),
    State("leave-cohort", "learner.leave_cohort", "/l/{checking}/leave-cohort"),
    State("support", "learner.support", "/l/{checking}/support"),
    State("support-long", "learner.support", "/l/{long_placed}/support"),
    State("my-data", "learner.my_data", "/l/{checked}/my-data"),
    State("my-data-long", "learner.my_data", "/l/{long_placed}/my-data"),
    State("my-data-pending", "learner.my_data", "/l/{pending}/my-data"),
    State("my-data-right-to-left", "learner.my_data", "/l/{arabic_placed}/my-data", rtl=True),
    State("connections", "learner.connections", "/l/{connected}/connections"),
    State("connections-empty", "learner.connections", "/l/{signed_up}/connections"),
    State("connections-errors", "", "/l/{connected}/connections", act=_connect_with_nobody),
    State("connections-long", "learner.connections", "/l/{long_placed}/connections"),
    State("connections-right-to-left", "learner.connections", "/l/{arabic_placed}/connections", rtl=True),
    State("cohort-connected", "learner.cohort", "/l/{connected}/cohort"),
    State("cohort-new-here", "learner.cohort", "/l/{new_here}/cohort"),
    State("changes-asked", "learner.changes", "/l/{asking}/changes"),
    State("erase", "learner.ask_to_erase", "/l/{checked}/erase"),
    State("mails", "learner.mails", "/l/{signed_up}/mails"),
    State("mails-right-to-left", "learner.mails", "/l/{arabic_placed}/mails", rtl=True),
    State("stop-help-mails", "learner.ask_to_stop_help_mails", "/stop-help-mails/{stop_help}"),
    State("stop-mails", "learner.ask_to_stop_mails", "/stop-mails/{stop}"),
    State(
        "stop-mails-stopped", "learner.ask_to_stop_mails", "/stop-mails/{stop}", act=press("Stop these mails")
    ),
)

ORGANISERS_PAGES = (
    State("courses", "organiser.courses", "/organise/", ORGANISER),
    State("courses-empty", "organiser.courses", "/organise/", NEWCOMER),
    State("courses-right-to-left", "organiser.courses", "/organise/", ORGANISER, rtl=True),
    State("new", "organiser.new", "/organise/new", ORGANISER),
    State("new-errors", "organiser.new", "/organise/new", ORGANISER, act=_send_empty),
    State("settings", "organiser.settings", "/organise/usual/settings", ORGANISER),
    State("settings-many", "organiser.settings", "/organise/many/settings", ORGANISER),
    State("settings-right-to-left", "organiser.settings", "/organise/arabic/settings", ORGANISER, rtl=True),
    State("settings-questions", "organiser.settings", "/organise/questions/settings", ORGANISER),
    State("question-kinds", "organiser.new_question", "/organise/usual/questions/new", ORGANISER),
    State("question-new", "organiser.new_question", "/organise/usual/questions/new?kind=scale", ORGANISER),
    State(
        "question-errors",
        "organiser.new_question",
        "/organise/usual/questions/new?kind=one",
        ORGANISER,
        act=_send_empty,
    ),
    State("question", "organiser.question", "/organise/questions/questions/artists", ORGANISER),
    State(
        "question-remove",
        "organiser.remove_question",
        "/organise/questions/questions/artists/remove",
        ORGANISER,
    ),
    State("preview", "organiser.preview", "/organise/questions/preview", ORGANISER),
    State("signup-questions", "organiser.signup", "/organise/questions/signups/{answered_signup}", ORGANISER),
    State("desk", "organiser.desk", "/organise/usual", ORGANISER),
    State("desk-empty", "organiser.desk", "/organise/draft", ORGANISER),
    State("desk-running", "organiser.desk", "/organise/running", ORGANISER),
    State("desk-long", "organiser.desk", "/organise/long", ORGANISER),
    State("desk-many", "organiser.desk", "/organise/many", ORGANISER),
    State("desk-going-on", "organiser.desk", "/organise/going-on", ORGANISER),
    State("desk-right-to-left", "organiser.desk", "/organise/arabic", ORGANISER, rtl=True),
    State("signups", "organiser.signups", "/organise/usual/signups", ORGANISER),
    State("signups-empty", "organiser.signups", "/organise/draft/signups", ORGANISER),
    State("signups-filtered-empty", "organiser.signups", "/organise/usual/signups?q=nobody", ORGANISER),
    State("signups-long", "organiser.signups", "/organise/long/signups", ORGANISER),
    State("signups-many", "organiser.signups", "/organise/many/signups?page=2", ORGANISER),
    State("signup", "organiser.signup", "/organise/usual/signups/{signup}", ORGANISER),
    State("signup-gone", "organiser.signup", "/organise/going-on/signups/{gone_signup}", ORGANISER),
    State("signup-long", "organiser.signup", "/organise/long/signups/{long_signup}", ORGANISER),
    State("import", "organiser.import_", "/organise/usual/import", ORGANISER),
    State("import-errors", "organiser.import_", "/organise/usual/import", ORGANISER, act=_send_empty),
    State("dry-run", "organiser.dry_run", "/organise/files/import/{upload}", ORGANISER),
    State("dry-run-google", "organiser.dry_run", "/organise/files/import/{upload_google}", ORGANISER),
    State("dry-run-long", "organiser.dry_run", "/organise/files/import/{upload_long}", ORGANISER),
    State("dry-run-none", "organiser.dry_run", "/organise/files/import/{upload_summed}?show=none", ORGANISER),
    State(
        "dry-run-repeated",
        "organiser.dry_run",
        "/organise/files/import/{upload_google}?show=repeated",
        ORGANISER,
    ),
    State("file-unread", "organiser.dry_run", "/organise/files/import/{upload_unread}", ORGANISER),
    State("file-importing", "organiser.dry_run", "/organise/files/import/{upload_importing}", ORGANISER),
    State("file-imported", "organiser.dry_run", "/organise/files/import/{upload_imported}", ORGANISER),
    State(
        "columns-sheets",
        "organiser.import_columns",
        "/organise/files/import/{upload_sheets}/columns",
        ORGANISER,
    ),
    State("columns", "organiser.import_columns", "/organise/files/import/{upload_google}/columns", ORGANISER),
    State(
        "columns-busy", "organiser.import_columns", "/organise/files/import/{upload_busy}/columns", ORGANISER
    ),
    State(
        "columns-long", "organiser.import_columns", "/organise/files/import/{upload_long}/columns", ORGANISER
    ),
    State(
        "columns-errors",
        "organiser.import_columns",
        "/organise/files/import/{upload_busy}/columns",
        ORGANISER,
        act=_write_no_hours,
    ),
    State(
        "columns-right-to-left",
        "organiser.import_columns",
        "/organise/files/import/{upload_google}/columns",
        ORGANISER,
        rtl=True,
    ),
    State("interactions", "organiser.import_connections", "/organise/files/connections/import", ORGANISER),
    State(
        "interactions-errors",
        "organiser.import_connections",
        "/organise/usual/connections/import",
        ORGANISER,
        act=_send_empty,
    ),
    State(
        "interactions-preview",
        "organiser.preview_connections",
        "/organise/files/connections/import/{interactions}",
        ORGANISER,
    ),
    State(
        "interactions-columns",
        "organiser.connection_columns",
        "/organise/files/connections/import/{interactions_unclear}/columns",
        ORGANISER,
    ),
    State("match", "organiser.match", "/organise/usual/match", ORGANISER),
    State("match-under-way", "organiser.match", "/organise/course-running/match", ORGANISER),
    State("runs", "organiser.run_list", "/organise/proposed/runs", ORGANISER),
    State("runs-empty", "organiser.run_list", "/organise/draft/runs", ORGANISER),
    State("runs-to-compare", "organiser.run_list", "/organise/compared/runs", ORGANISER),
    State("compare-choose", "organiser.compare", "/organise/compared/compare?run={compared-one}", ORGANISER),
    State("compare-nothing", "organiser.compare", "/organise/proposed/compare", ORGANISER),
    State(
        "compare",
        "organiser.compare",
        "/organise/compared/compare?run={compared-one}&run={compared-two}",
        ORGANISER,
        act=_unfold,
    ),
    State(
        "compare-many",
        "organiser.compare",
        "/organise/compared/compare?run={compared-one}&run={compared-two}&run={compared-old}"
        "&run={compared-running}",
        ORGANISER,
    ),
    State("fairness", "organiser.fairness", "/organise/compared/runs/{compared-two}/fairness", ORGANISER),
    State(
        "fairness-pooled", "organiser.fairness", "/organise/proposed/runs/{run-proposed}/fairness", ORGANISER
    ),
    State("run-queued", "organiser.run", "/organise/course-queued/runs/{run-queued}", ORGANISER),
    State("run-running", "organiser.run", "/organise/course-running/runs/{run-running}", ORGANISER),
    State("run-failed", "organiser.run", "/organise/course-failed/runs/{run-failed}", ORGANISER),
    State("run-cancelled", "organiser.run", "/organise/course-cancelled/runs/{run-cancelled}", ORGANISER),
    State("rematch", "organiser.rematch", "/organise/healing/rematch", ORGANISER),
    State("rematch-idle", "organiser.rematch", "/organise/shared/rematch", ORGANISER),
    State("rematch-errors", "", "/organise/healing/rematch", ORGANISER, act=_rematch_with_less_than_nothing),
    State(
        "rematch-rule-errors", "", "/organise/healing/rematch", ORGANISER, act=_rule_with_less_than_nothing
    ),
    State("rematched", "organiser.rematched", "/organise/healing/rematches/{rematch}", ORGANISER),
    State(
        "rematched-accepted",
        "organiser.rematched",
        "/organise/healed/rematches/{rematch-accepted}",
        ORGANISER,
    ),
    State(
        "rematched-right-to-left",
        "organiser.rematched",
        "/organise/healing/rematches/{rematch}",
        ORGANISER,
        rtl=True,
    ),
    State("proposal", "organiser.run", "/organise/proposed/runs/{run-proposed}", ORGANISER),
    State("proposal-published", "organiser.run", "/organise/running/runs/{run-published}", ORGANISER),
    State("proposal-long", "organiser.run", "/organise/long/runs/{run-long}", ORGANISER),
    State("proposal-many", "organiser.run", "/organise/many/runs/{run-many}", ORGANISER),
    State(
        "proposal-right-to-left", "organiser.run", "/organise/arabic/runs/{run-arabic}", ORGANISER, rtl=True
    ),
    State("board", "organiser.board", "/organise/proposed/runs/{run-proposed}/board", ORGANISER),
    State("board-long", "organiser.board", "/organise/long/runs/{run-long-proposed}/board", ORGANISER),
    State(
        "board-right-to-left",
        "organiser.board",
        "/organise/proposed/runs/{run-proposed}/board",
        ORGANISER,
        rtl=True,
    ),
    State(
        "board-errors", "", "/organise/proposed/runs/{run-proposed}/board", ORGANISER, act=_name_as_another
    ),
    State(
        "board-link-errors", "", "/organise/proposed/runs/{run-proposed}/board", ORGANISER, act=_talk_nowhere
    ),
    State("board-living", "organiser.board", "/organise/running/runs/{run-published}/board", ORGANISER),
    State(
        "weighing-living",
        "organiser.weighing",
        "/organise/running/runs/{run-published}/board/{weighing-living}",
        ORGANISER,
    ),
    State(
        "board-conflict", "", "/organise/proposed/runs/{run-proposed}/board", ORGANISER, act=_change_too_late
    ),
    *(
        State(
            name,
            "organiser.weighing",
            f"/organise/proposed/runs/{{run-proposed}}/board/{{{name}}}",
            ORGANISER,
        )
        for name in ("weighing", "weighing-swaps", "weighing-unplaced", "weighing-waiting")
    ),
    State("publish", "organiser.publish", "/organise/proposed/runs/{run-proposed}/publish", ORGANISER),
    State(
        "publish-conflict",
        "organiser.publish",
        "/organise/running/runs/{run-published}/publish",
        ORGANISER,
        status=409,
    ),
    State("cohort-desk", "organiser.cohort", "/organise/met/cohorts/{cohort-met}", ORGANISER),
    State("cohort-desk-many", "organiser.cohort", "/organise/many/cohorts/{cohort-many}", ORGANISER),
    State("people", "organiser.people", "/organise/shared/people", ORGANISER),
    State("people-errors", "", "/organise/shared/people", ORGANISER, act=_invite_nobody),
    State("people-alone", "organiser.people", "/organise/draft/people", ORGANISER),
    State("people-right-to-left", "organiser.people", "/organise/shared/people", ORGANISER, rtl=True),
    State("figures", "organiser.figures", "/organise/going-on/figures", ORGANISER),
    State("figures-few", "organiser.figures", "/organise/usual/figures", ORGANISER),
    State("figures-empty", "organiser.figures", "/organise/draft/figures", ORGANISER),
    State("figures-many", "organiser.figures", "/organise/many/figures", ORGANISER),
    State("figures-right-to-left", "organiser.figures", "/organise/arabic/figures", ORGANISER, rtl=True),
    State("network", "organiser.connections", "/organise/connected/connections", ORGANISER),
    State(
        "network-opened",
        "organiser.connections",
        "/organise/connected/connections",
        ORGANISER,
        act=_open_network,
    ),
    State("network-empty", "organiser.connections", "/organise/draft/connections", ORGANISER),
    State("network-bare", "organiser.connections", "/organise/running/connections", ORGANISER),
    State("network-long", "organiser.connections", "/organise/long/connections", ORGANISER),
    State("network-many", "organiser.connections", "/organise/many/connections", ORGANISER),
    State(
        "network-right-to-left", "organiser.connections", "/organise/arabic/connections", ORGANISER, rtl=True
    ),
    State("share", "organiser.share", "/organise/usual/share", ORGANISER),
    State("share-draft", "organiser.share", "/organise/draft/share", ORGANISER),
    State("share-long", "organiser.share", "/organise/long/share", ORGANISER),
    State("letters", "organiser.letters", "/organise/shared/letters", ORGANISER),
    State("letters-empty", "organiser.letters", "/organise/draft/letters", ORGANISER),
    State("letter-new", "organiser.write_letter", "/organise/shared/letters/new", ORGANISER),
    State(
        "letter-errors",
        "organiser.write_letter",
        "/organise/shared/letters/new",
        ORGANISER,
        act=press("Go on to the preview"),
    ),
    State("letter-edit", "organiser.edit_letter", "/organise/shared/letters/{letter}/edit", ORGANISER),
    State("letter", "organiser.letter", "/organise/shared/letters/{letter}", ORGANISER),
    State("letter-sent", "organiser.letter", "/organise/shared/letters/{letter-sent}", ORGANISER),
    State(
        "letter-right-to-left", "organiser.letter", "/organise/shared/letters/{letter}", ORGANISER, rtl=True
    ),
    State("log", "organiser.log", "/organise/shared/log", ORGANISER),
    State("log-empty", "organiser.log", "/organise/draft/log", ORGANISER),
    State("courses-of-a-facilitator", "organiser.courses", "/organise/", FACILITATOR),
    State("roster-of-a-facilitator", "organiser.roster", "/organise/shared/roster", FACILITATOR),
    State("desk-not-allowed", "", "/organise/shared", FACILITATOR, status=403),
    State("desk-of-a-reader", "organiser.desk", "/organise/shared", READER),
    State("roster", "organiser.roster", "/organise/running/roster", ORGANISER),
    State("roster-empty", "organiser.roster", "/organise/usual/roster", ORGANISER),
    State("roster-long", "organiser.roster", "/organise/long/roster", ORGANISER),
    State("roster-many", "organiser.roster", "/organise/many/roster", ORGANISER),
    State("export", "organiser.export_page", "/organise/running/export", ORGANISER),
    State("export-empty", "organiser.export_page", "/organise/usual/export", ORGANISER),
    State("export-errors", "", "/organise/long/export", ORGANISER, act=press("Save")),
    State("export-long", "organiser.export_page", "/organise/long/export", ORGANISER),
    State("export-right-to-left", "organiser.export_page", "/organise/arabic/export", ORGANISER, rtl=True),
    State("print", "organiser.print_roster", "/organise/running/roster/print", ORGANISER),
    State("print-empty", "organiser.print_roster", "/organise/usual/roster/print", ORGANISER),
    State("print-long", "organiser.print_roster", "/organise/long/roster/print", ORGANISER),
    State(
        "print-right-to-left", "organiser.print_roster", "/organise/arabic/roster/print", ORGANISER, rtl=True
    ),
)


def _make_token(page: Page) -> None:
    page.get_by_label("What is it for?").fill("Nightly export to Canvas")
    press("Make it")(page)


OTHER_PAGES = (
    State("security", "account.security", "/account/security", ORGANISER),
    State("security-right-to-left", "account.security", "/account/security", ORGANISER, rtl=True),
    State("second-factor", "", "/account/security", NEWCOMER, act=press("Set it up")),
    State("tokens", "account.tokens", "/account/tokens", ORGANISER),
    State("tokens-empty", "account.tokens", "/account/tokens", NEWCOMER),
    State("tokens-made", "account.tokens", "/account/tokens", ORGANISER, act=_make_token),
    State("tokens-errors", "account.tokens", "/account/tokens", NEWCOMER, act=press("Make it")),
    State("tokens-right-to-left", "account.tokens", "/account/tokens", ORGANISER, rtl=True),
    State("sign-in", "auth.sign_in", "/sign-in"),
    State("sign-in-sent", "auth.sign_in", "/sign-in", act=_ask_for_link),
    State("sign-in-confirm", "auth.confirm_sign_in", "/sign-in/{sign_in}"),
    State("sign-in-code", "auth.confirm_sign_in", "/sign-in/{mailed_sign_in}"),
    State("sign-in-code-wrong", "auth.confirm_sign_in", "/sign-in/{mailed_sign_in}", act=_enter_a_wrong_code),
    State("second-step", "auth.second_step", "/sign-in/second-step", CAREFUL),
    State("second-step-wrong", "auth.second_step", "/sign-in/second-step", CAREFUL, act=_enter_a_wrong_code),
    State("invitation", "auth.join", "/join/{invitation}"),
    State("error-not-found", "", "/nowhere", status=404),
    State("error-link", "", "/l/nonsense", status=404),
    State("error-fault", "", "/broken", status=500),
    State("error-right-to-left", "", "/nowhere", status=404, rtl=True),
)

STATES = (*LEARNERS_PAGES, *ORGANISERS_PAGES, *OTHER_PAGES)

NO_PAGES = {
    "static",
    "learner.calendar",
    "learner.download",
    "learner.subscription",
    "organiser.connections_drawn",
    "organiser.import_progress",
    "organiser.run_progress",
    "organiser.weighed",
    "organiser.refused_rows",
    "organiser.chosen",
    "organiser.export",
    "organiser.qr",
    "health.alive",
    "health.ready",
    "health.metrics",
}
"""Routes that answer with a file, or to programs."""
