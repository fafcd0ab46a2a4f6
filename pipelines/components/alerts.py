"""The team's own channel, to which failed runs, unreadable and late reports are sent.

`FUNDFLOWS_ALERT` names it: a URL that takes a POST of `{"text": ...}`, as chat webhooks do, or a
command that reads the text from its standard input. Without it nothing is sent.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence

import dagster as dg

CHANNEL = "FUNDFLOWS_ALERT"
_PATIENCE = 15
_NAMED = 3


def send(text: str) -> bool:
    """Send a text to the team's channel; return whether there is one.

    Raises:
        OSError: the channel cannot be reached.
        subprocess.SubprocessError: its command failed, or did not end.
    """
    channel = os.environ.get(CHANNEL, "").strip()
    if not channel:
        return False
    if channel.startswith(("http://", "https://")):
        request = urllib.request.Request(  # noqa: S310 (one of the two schemes above)
            channel,
            data=json.dumps({"text": text}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310
            return True
    subprocess.run(  # noqa: S603 (the operator's own command)
        shlex.split(channel), input=text.encode(), timeout=_PATIENCE, check=True
    )
    return True


def notify(context: dg.SensorEvaluationContext, texts: Sequence[str]) -> None:
    """Log and send what a sensor has found; a channel that is down does not stop the sensor."""
    for text in texts:
        context.log.error(text)
    try:
        if texts:
            send("\n\n".join(texts))
    except (OSError, subprocess.SubprocessError):
        context.log.exception("%s could not be reached", CHANNEL)


def failure_sensor() -> dg.SensorDefinition:
    """Return the sensor that sends every failed run to the channel."""

    @dg.run_failure_sensor(
        name="alerts",
        description=f"Sends every failed run to the channel that {CHANNEL} names.",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alerts(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        text = "\n".join(_lines(context))
        context.log.info(text)
        return None if send(text) else dg.SkipReason(f"{CHANNEL} is not set: nothing was sent")

    return alerts


def _lines(context: dg.RunFailureSensorContext) -> Iterator[str]:
    """Yield what failed, for which weeks and why, in the words of the failed steps."""
    run = context.dagster_run
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    first, last = (run.tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end"))
    weeks = f", weeks {first}..{last}" if first else ""
    named = ", ".join(assets[:_NAMED])
    if more := assets[_NAMED:]:
        named += f" and {len(more)} more"
    yield f"fundflows: run {run.run_id[:8]} of {named or run.job_name} failed{weeks}"
    events = context.get_step_failure_events()
    for event in events:
        data = event.step_failure_data
        failure = data.user_failure_data
        if failure is None or failure.description is None:
            yield data.error.message.strip() if data.error else str(event.message)
            continue
        yield failure.description
        yield from (f"  {name}: {value.value}" for name, value in failure.metadata.items())
    if not events:
        yield context.failure_event.message or "the run ended without a message"
