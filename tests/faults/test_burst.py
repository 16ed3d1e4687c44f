"""Many people press Sign up at the same moment, on the real server."""

import http.cookiejar
import re
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import func, select

from cohorts.models import Mail, Signup
from tests.factories import make_course
from tests.site import Site

N_POSTS = 50
CAPACITY = 10


def sign_up(site: Site, slug: str, number: int, barrier: Barrier) -> str:
    """Open the form, wait for all the others, post it, and return where that led."""
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(cookies)
    with browser.open(f"{site.url}/c/{slug}", timeout=60) as page:
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    assert token is not None
    answers = {
        "csrf_token": token[1],
        "name": f"Learner {number}",
        "email": f"burst{number}@example.org",
        "time_zone": "Europe/Berlin",
        "availability": ["36", "37", "38"],
        "languages": "English",
    }
    barrier.wait(timeout=60)
    data = urllib.parse.urlencode(answers, doseq=True).encode()
    with browser.open(f"{site.url}/c/{slug}", data, timeout=60) as done:
        return str(done.url)


def test_fifty_posts_at_once_never_exceed_the_capacity(site: Site) -> None:
    with site.database.transaction() as session:
        slug = make_course(session, capacity=CAPACITY).slug
    barrier = Barrier(N_POSTS)
    with ThreadPoolExecutor(N_POSTS) as crowd:
        led_to = list(crowd.map(lambda n: sign_up(site, slug, n, barrier), range(N_POSTS)))
    assert led_to == [f"{site.url}/c/{slug}/thanks"] * N_POSTS
    with site.database.reading() as session:
        waiting = select(func.count(Signup.id)).group_by(Signup.waiting).order_by(Signup.waiting)
        assert session.scalars(waiting).all() == [CAPACITY, N_POSTS - CAPACITY]
        assert session.scalar(select(func.count(Mail.id))) == N_POSTS
