"""Every job of the hub in one table: a name that ``unit.later`` may ring for, and what is done then."""

from __future__ import annotations

from hub.db import unit_of_work
from hub.feed import sweep as forget_changes
from hub.idempotency import sweep as forget_answers
from hub.people.sessions import sweep as forget_sessions
from workflows.cases.sweeps import sweep_cases
from workflows.delivery.measuring import read_figures
from workflows.delivery.uploading import upload_videos
from workflows.delivery.watch import watch_removed
from workflows.desk import Job
from workflows.drafting.jobs import run_models
from workflows.house import House
from workflows.intake.jobs import fetch_pictures, pull_due, read_arrivals, run_imports, sweep_files, sweep_uploads
from workflows.intake.proofs import sweep_proofs
from workflows.learning.jobs import learn_waiting, load_learnt
from workflows.matters.jobs import count_matters, count_words, place_messages
from workflows.pictures.jobs import sweep_pictures
from workflows.routing.jobs import learn_routing
from workflows.tagging.jobs import retag_messages, tag_messages
from workflows.tending import sweep_authorisations, tend_accounts
from workflows.videos.jobs import sweep_videos
from workflows.watching.jobs import run_plans


async def sweep_feed(house: House) -> int:
    """Forget old entries of the live feed; how many."""
    async with unit_of_work(house.ctx) as unit:
        return await forget_changes(unit)


async def sweep_sessions(house: House) -> int:
    """Forget sessions that ended long ago; how many."""
    async with unit_of_work(house.ctx) as unit:
        return await forget_sessions(unit)


async def sweep_answers(house: House) -> int:
    """Forget answers of API writes kept for more than a day; how many."""
    async with unit_of_work(house.ctx) as unit:
        return await forget_answers(unit)


# Rings that wake the dispatcher, which has a timer of its own, exact to the row.
DELIVERY_RINGS = ("send_delivery", "sweep_deliveries")

JOBS: tuple[Job, ...] = (
    # A slow platform must not keep the others waiting: streams are leased one by one, so runs may overlap.
    Job("pull_due", pull_due, every=1.0, at_once=4),
    Job("tend_accounts", tend_accounts, every=10.0),
    Job("read_arrivals", read_arrivals),
    # A slow server must not keep the other pictures waiting: they are leased one by one.
    Job("fetch_pictures", fetch_pictures, at_once=4),
    Job("tag_messages", tag_messages),
    Job("place_messages", place_messages),
    Job("count_matters", count_matters, every=60.0),
    Job("count_words", count_words, every=300.0),
    # A slow model must not keep the next draft waiting: drafts are leased one by one.
    Job("run_models", run_models, at_once=2),
    Job("retag_messages", retag_messages, every=60.0),
    Job("run_imports", run_imports),
    Job("run_plans", run_plans),
    Job("learn_routing", learn_routing, every=600.0),
    Job("sweep_cases", sweep_cases, every=15.0),
    # A slow platform must not keep the other videos waiting: they are leased one by one.
    Job("upload_videos", upload_videos, at_once=3),
    Job("watch_removed", watch_removed, every=30.0),
    Job("read_figures", read_figures, every=60.0),
    Job("load_learnt", load_learnt, every=20.0),
    Job("learn_waiting", learn_waiting, every=60.0),
    Job("sweep_feed", sweep_feed, every=60.0),
    Job("sweep_sessions", sweep_sessions, every=600.0),
    Job("sweep_answers", sweep_answers, every=600.0),
    Job("sweep_proofs", sweep_proofs, every=600.0),
    Job("sweep_uploads", sweep_uploads, every=600.0),
    Job("sweep_pictures", sweep_pictures, every=3600.0),
    Job("sweep_files", sweep_files, every=3600.0),
    Job("sweep_videos", sweep_videos, every=3600.0),
    Job("sweep_authorisations", sweep_authorisations, every=600.0),
)

NAMES: tuple[str, ...] = (*DELIVERY_RINGS, *(job.name for job in JOBS))
