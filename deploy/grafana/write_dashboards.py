"""Writes the dashboards beside this file: `python deploy/grafana/write_dashboards.py`.

Grafana's JSON is long and says little; this says what each panel shows. A test compares the two.
"""

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
P95 = "histogram_quantile(0.95, sum by (le, {by}) (rate({name}_bucket[5m])))"

# Title, unit, and legend -> expression of each panel.
Panel = tuple[str, str, dict[str, str]]
OPERATION: list[Panel] = [
    ("Jobs", "short", {"{{kind}} {{state}}": "max by (kind, state) (moderation_jobs)"}),
    ("Longest wait", "s", {"{{kind}}": "max by (kind) (moderation_job_due_seconds)"}),
    (
        "Items settled",
        "cps",
        {"{{disposition}}": "sum by (disposition) (rate(moderation_items_settled_total[5m]))"},
    ),
    (
        "Stages, 95th percentile",
        "s",
        {"{{stage}}": P95.format(by="stage", name="moderation_stage_seconds")},
    ),
    (
        "Stages that fail",
        "cps",
        {"{{stage}} {{code}}": "sum by (stage, code) (rate(moderation_stage_failures_total[5m]))"},
    ),
    (
        "Retries",
        "cps",
        {"{{kind}} {{code}}": "sum by (kind, code) (rate(moderation_job_retries_total[5m]))"},
    ),
    (
        "Dead letters",
        "short",
        {"{{kind}} {{code}}": "max by (kind, code) (moderation_dead_letters)"},
    ),
    (
        "Requests",
        "reqps",
        {"{{status}}": "sum by (status) (rate(moderation_http_requests_total[5m]))"},
    ),
    (
        "Requests, 95th percentile",
        "s",
        {"{{route}}": P95.format(by="route", name="moderation_http_request_seconds")},
    ),
]
DECISIONS: list[Panel] = [
    (
        "Scores of the last hour",
        "short",
        {"{{le}}": "sum by (le) (increase(moderation_score_bucket[1h]))"},
    ),
    (
        "Mean score",
        "short",
        {
            "{{mode}}": "sum by (mode) (rate(moderation_score_sum[1h])) "
            "/ sum by (mode) (rate(moderation_score_count[1h]))"
        },
    ),
    (
        "Calibration error on the random sample",
        "percentunit",
        {"error": "max(moderation_random_sample_calibration_error)"},
    ),
    (
        "Ruled items of the random sample",
        "short",
        {"items": "max(moderation_random_sample_items)"},
    ),
    (
        "Waits for review",
        "short",
        {"{{desk}} lane {{lane}}": "max by (desk, lane) (moderation_review_waiting)"},
    ),
    (
        "Backlog",
        "m",
        {"{{desk}} lane {{lane}}": "max by (desk, lane) (moderation_review_backlog_minutes)"},
    ),
    (
        "Age of what waits",
        "s",
        {"p{{percentile}}": "max by (percentile) (moderation_review_age_seconds)"},
    ),
    (
        "Overdue",
        "short",
        {"lane {{lane}} {{clause}}": "max by (lane, clause) (moderation_review_overdue)"},
    ),
    (
        "Closed late, of 24 hours",
        "percentunit",
        {
            "lane {{lane}}": "sum by (lane) (moderation_review_closed_late) "
            "/ sum by (lane) (moderation_review_closed)"
        },
    ),
]
DASHBOARDS = {"operation": OPERATION, "decisions": DECISIONS}


def dashboard(name: str, panels: list[Panel]) -> str:
    """Grafana's JSON, three panels a row."""
    shown = []
    for k, (title, unit, targets) in enumerate(panels):
        kind = "bargauge" if "{{le}}" in targets else "timeseries"
        heat = {"format": "heatmap"} if kind == "bargauge" else {}
        shown.append(
            {
                "id": k + 1,
                "title": title,
                "type": kind,
                "datasource": SOURCE,
                "gridPos": {"h": 8, "w": 8, "x": 8 * (k % 3), "y": 8 * (k // 3)},
                "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
                "targets": [
                    {
                        "refId": "ABCDEF"[place],
                        "expr": text,
                        "legendFormat": legend,
                        "datasource": SOURCE,
                        **heat,
                    }
                    for place, (legend, text) in enumerate(targets.items())
                ],
            }
        )
    content = {
        "uid": f"moderation-{name}",
        "title": f"Moderation: {name}",
        "tags": ["moderation"],
        "timezone": "utc",
        "schemaVersion": 39,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "panels": shown,
    }
    return json.dumps(content, indent=1) + "\n"


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, panels in DASHBOARDS.items():
        (folder / f"{name}.json").write_text(dashboard(name, panels))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
