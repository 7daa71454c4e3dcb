"""The figures for Prometheus: gauges set freshly for each scrape, beside the process's own counters."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from web.observe.figures import Figures
from web.observe.health import Sign


class Scrape(Collector):
    """One scrape's gauges."""

    def __init__(self, figures: Figures, signs: dict[str, Sign], streams: int) -> None:
        self.figures, self.signs, self.streams = figures, signs, streams

    def collect(self) -> list[GaugeMetricFamily]:
        """Every gauge; those nobody knows are left out."""
        f, found = self.figures, []
        plain = {
            "hub_queue_jobs": ("Jobs waiting in the queue", f.backlog.jobs if f.backlog else None),
            "hub_queue_age_seconds": ("Age of the oldest due job in the queue", f.backlog.age if f.backlog else None),
            "hub_sweep_age_seconds": ("Time since the last sweep", f.sweep_age),
            "hub_delivery_overdue_age_seconds": ("Age of the oldest delivery that is due", f.overdue_age or 0.0),
            "hub_delivery_unknown_age_seconds": ("Age of the oldest delivery of unknown outcome", f.unknown_age or 0.0),
            "hub_arrivals_unread": ("Arrivals stored and not yet read", f.unread),
            "hub_arrivals_quarantined": ("Arrivals that could not be read", f.quarantined),
            "hub_messages_untagged": ("Messages not yet tagged", f.untagged),
            "hub_messages_untagged_age_seconds": ("Age of the oldest message not yet tagged", f.untagged_age or 0.0),
            "hub_kept_files": ("Pictures and documents kept beside arrivals", f.files),
            "hub_kept_files_bytes": ("Bytes of pictures and documents kept beside arrivals", f.files_bytes),
            "hub_live_streams": ("Open live streams of this process", self.streams),
        }
        for name, (words, value) in plain.items():
            if value is not None:
                found.append(GaugeMetricFamily(name, words, value=float(value)))
        return [*found, *self._by_label()]

    def _by_label(self) -> list[GaugeMetricFamily]:
        states = GaugeMetricFamily("hub_deliveries", "Deliveries by state", labels=["state"])
        for state, count in self.figures.deliveries.items():
            states.add_metric([state], count)
        jobs = GaugeMetricFamily("hub_job_failing", "Whether the last run of the job failed", labels=["job"])
        for job in self.figures.failing_jobs:
            jobs.add_metric([job], 1.0)
        alive = GaugeMetricFamily("hub_up", "Whether the part is alive", labels=["part"])
        for part, sign in self.signs.items():
            alive.add_metric([part], float(sign.ok))
        ages = GaugeMetricFamily("hub_pull_age_seconds", "Time since a stream was read", labels=["account", "stream"])
        failures = GaugeMetricFamily("hub_pull_failures", "Failures in a row", labels=["account", "stream"])
        for pull in self.figures.pulls:
            labels = [str(pull.account_id), pull.stream]
            failures.add_metric(labels, pull.failures)
            if pull.age is not None:
                ages.add_metric(labels, pull.age)
        return [states, jobs, alive, ages, failures, *self._of_accounts()]

    def _of_accounts(self) -> list[GaugeMetricFamily]:
        stopped = GaugeMetricFamily("hub_account_needs_person", "Accounts that need a person", labels=["account"])
        for one in self.figures.attention:
            stopped.add_metric([str(one.account_id)], 1.0)
        waiting = GaugeMetricFamily(
            "hub_pull_waiting", "Whether a stream waits for its budget of calls", labels=["account", "stream"]
        )
        for pull in self.figures.pulls:
            if pull.error and not pull.failures:
                waiting.add_metric([str(pull.account_id), pull.stream], 1.0)
        spent = GaugeMetricFamily(
            "hub_budget_used", "Calls made in the present window", labels=["owner", "calls", "seconds"]
        )
        for each in self.figures.spent:
            spent.add_metric([each.owner, each.calls, str(each.seconds)], each.used)
        return [stopped, waiting, spent]


def exposition(process: CollectorRegistry, scrape: Scrape) -> bytes:
    """Everything in Prometheus' text format."""
    fresh = CollectorRegistry()
    fresh.register(scrape)
    return generate_latest(process) + generate_latest(fresh)
