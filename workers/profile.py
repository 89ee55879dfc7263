"""Keep the notices before a profile runs out."""

from __future__ import annotations

from celery import shared_task

from app.ports import TaskName
from app.services.profile import note_ending_profiles
from workers.task import in_every_tenant


@shared_task(name=TaskName.NOTE_ENDING_PROFILES.value, ignore_result=True)
def note_ending() -> None:
    """Note who is to be told that their profile needs confirming, tenant by tenant."""
    in_every_tenant("profile-notice", note_ending_profiles)
