"""Quality reports: what was measured, and how far the worker is with the next one."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import WORK_STATES, Output
from api.serializers.photos import PhotoFailure
from recognition.models import QualityReport


class ReportState(Output):
    """A report that a worker makes."""

    id = serializers.UUIDField(source="report_id")
    state = serializers.ChoiceField(choices=WORK_STATES)
    progress = serializers.IntegerField(help_text="percent")
    failure = serializers.SerializerMethodField()
    embedder_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(source="processed_at", allow_null=True)

    @extend_schema_field(PhotoFailure(allow_null=True))
    def get_failure(self, report: QualityReport) -> dict[str, str] | None:
        if report.state != QualityReport.State.FAILED:
            return None
        return {"code": report.failure_code, "reason": report.failure_reason}


class QualityFigures(ReportState):
    """A finished report. Its figures are those that `manage.py evaluate_embeddings --json` prints."""

    figures = serializers.DictField(
        help_text="shares from 0 to 1; people and events by their ids, faces by theirs, never a name"
    )


class Quality(Output):
    report = QualityFigures(allow_null=True, help_text="the newest that is finished")
    pending = ReportState(allow_null=True, help_text="one that was asked for after it")
