"""The two dashboards: *Camera*, one appliance; *Fleet*, many, by label. Their queries stand on prometheus/rules."""

from collections.abc import Iterable, Iterator

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import DashboardLinkType, VariableRefresh

from monitoring.dashboards.parts import (
    SOURCE,
    AnyPanel,
    Code,
    Query,
    Text,
    heatmap,
    lines,
    name,
    number,
    put,
    state,
    table,
    timeline,
    waterfall,
)
from vcam.stages import Stage

STATES = {
    0: Code("starting", "blue"),
    1: Code("live", "green"),
    2: Code("safe", "orange"),
    3: Code("idle", "text"),
    4: Code("silent", "red"),
}
"""What vcam:state:code stands for."""
_LOST, _THERE = 10, 11
CAMERA = {_LOST: Code("lost", "red"), _THERE: Code("there", "green")}
_FIRST_TAKEOVER = 20
TAKEOVERS = {
    20: Code("none on its way", "text"),
    21: Code("preparing", "blue"),
    22: Code("warming", "purple"),
    23: Code("took over", "green"),
    24: Code("given up", "red"),
}
"""What vcam:takeover:code stands for, 20 higher."""

_BUDGET = Query("vcam:frame_latency_budget_seconds", "budget")
_LATE_S = ((None, "green"), (0.05, "orange"), (0.1, "red"))
_CALM = ((None, "text"),)
_ALARM = ((None, "green"), (1, "red"))
_VCAM = 'job="vcam"'
_WHOSE = "{{site}} {{appliance}}"
_STATES_TEXT = Text("States", "Live: the person. Safe, starting: the card. Idle: nobody looks. Silent: vcam is down.")


def camera() -> Dashboard:
    """One appliance: what its viewers see, and where every millisecond goes."""
    board = _board("vcam: camera", "vcam-camera", "One appliance: what viewers see, and where each millisecond goes.")
    board.with_variable(_choice("appliance", "label_values(vcam_build_info, appliance)", multiple=False))
    return _filled(board, (*_now(), *_times(), *_frames(), *_machine()))


def _now() -> Iterator[AnyPanel]:
    codes = Query(_one("vcam:state:code"))
    yield put(state(Text("State", "What viewers see."), codes, STATES), 4, 4)
    live, steps = Query(_one("vcam:live_frames:rate1m")), ((None, "red"), (10, "orange"), (20, "green"))
    yield put(number(Text("Live", "Frames a second."), "none", live, steps), 4, 4)
    late = Query(_one("vcam:frame_latency_seconds:p95_1m"))
    yield put(number(Text("Latency p95", "From capture to output."), "s", late, _LATE_S), 4, 4)
    engine = Query(_one("vcam_engine_info"), "{{engine}} {{precision}} {{size}}")
    yield put(name(Text("Engine", "What finds the person."), engine, none="being opened"), 6, 4)
    decoder = Query(_one("vcam_decoder_info"), "{{decoder}}")
    yield put(name(Text("Decoder", "What opens the camera's pictures."), decoder, none="not yet"), 3, 4)
    version = Query(_one("vcam_build_info"), "{{version}}")
    yield put(name(Text("Version", "Of vcam."), version, none="silent"), 3, 4)
    rows = [
        Query(_one("vcam:state:code"), "viewers see"),
        Query(f"{_LOST} + {_one('vcam_camera_up')}", "camera"),
        Query(f"{_FIRST_TAKEOVER} + {_one('vcam:takeover:code')}", "better engine"),
    ]
    yield put(timeline(_STATES_TEXT, rows, STATES | CAMERA | TAKEOVERS), 24, 6)


def _times() -> Iterator[AnyPanel]:
    begin = Query(f"sum by (stage) ({_one('vcam:stage_begin_seconds:mean1m')})")
    takes = Query(f"sum by (stage) ({_one('vcam:stage_duration_seconds:mean1m')})")
    yield put(waterfall(Text("One frame, stage after stage", "Means of the last minute."), begin, takes, "stage"), 8, 9)
    stages = [Query(_one("vcam:stage_duration_seconds:mean1m", f'stage="{stage}"'), stage.value) for stage in Stage]
    about = Text("Where a frame's time goes", "The mean of each stage, one on the other.")
    yield put(lines(about, "s", stages, stacked=True), 8, 9)
    buckets = f"sum by (le) (increase({_one('vcam_frame_latency_seconds_bucket')}[$__rate_interval]))"
    about = Text("Latency of live frames", "From capture to output: how many frames took how long.")
    yield put(heatmap(about, Query(buckets, "{{le}}")), 8, 9)


def _frames() -> Iterator[AnyPanel]:
    rates = [Query(_one("vcam:live_frames:rate1m"), "live"), Query(_one("vcam_frame_rate_target"), "wanted")]
    yield put(lines(Text("Frames a second", "Shown live."), "none", rates, limit="wanted"), 8, 8)
    shares = [Query(_one(f"vcam:frame_latency_seconds:{share}_1m"), share) for share in ("p50", "p95", "p99")]
    about = Text("Latency", "From capture to output.")
    yield put(lines(about, "s", [*shares, _BUDGET], limit="budget"), 8, 8)
    cards = Query(_one("vcam:safe_frames:rate1m"), "{{reason}}")
    about = Text("Cards in place of pictures", "A second, by reason.")
    yield put(lines(about, "none", [cards], stacked=True), 8, 8)
    drops = Query(_one("vcam:dropped_frames:rate1m"), "{{reason}}")
    about = Text("Captured frames not shown", "A second, by reason.")
    yield put(lines(about, "none", [drops], stacked=True), 6, 8)
    slow = Query(_one("vcam:stage_duration_seconds:p95_1m"), "{{stage}}")
    yield put(lines(Text("Stages, p95", "One frame in twenty takes longer there."), "s", [slow]), 6, 8)
    readers = Query(_one("vcam_consumers"), "{{output}}")
    text = Text("Readers", "Applications at each output.")
    yield put(lines(text, "none", [readers], none="this output cannot count them"), 6, 8)
    attempts = [
        Query(f"increase({_one('vcam_takeovers_total')}[15m])", "{{outcome}}"),
        Query(_one("vcam_plan_build_ratio"), "plan built"),
    ]
    about = Text("Better engine", "Attempts to change to it in 15 minutes; how much of its plan is built.")
    yield put(lines(about, "none", attempts), 6, 8)


def _machine() -> Iterator[AnyPanel]:
    busy = Query(f"rate({_one('process_cpu_seconds_total', _VCAM)}[1m])", "cores")
    yield put(lines(Text("Processor", "Cores in use by vcam."), "none", [busy]), 8, 7)
    memory = Query(_one("process_resident_memory_bytes", _VCAM), "resident")
    yield put(lines(Text("Memory", "Held by vcam."), "bytes", [memory]), 8, 7)
    gpu = Query(_one("DCGM_FI_DEV_GPU_UTIL"), "{{modelName}}")
    text = Text("Graphics processor", "How busy it is.")
    yield put(lines(text, "percent", [gpu], none="COMPOSE_PROFILES=gpu in .env shows it"), 8, 7)


def fleet() -> Dashboard:
    """Many appliances, by site and name: which are up, live, late, and which need a hand."""
    board = _board("vcam: fleet", "vcam-fleet", "Many appliances: which are up, live, late, and which need a hand.")
    board.with_variable(_choice("site", "label_values(vcam_build_info, site)", multiple=True))
    names = 'label_values(vcam_build_info{site=~"$site"}, appliance)'
    board.with_variable(_choice("appliance", names, multiple=True))
    return _filled(board, (*_counts(), *_which(), *_compared()))


def _counts() -> Iterator[AnyPanel]:
    known = _many("vcam:state:code")
    counts = [
        (Text("Appliances", "That should answer."), f"count({known})", _CALM),
        (Text("Live", "Their viewers see the person."), f"count({known} == 1) or vector(0)", _CALM),
        (Text("Idle", "Nobody looks."), f"count({known} == 3) or vector(0)", _CALM),
        (Text("Safe", "Their viewers see the card."), f"count({known} == 2) or vector(0)", _ALARM),
        (Text("No camera", "It is lost."), f"count({_many('vcam_camera_up')} == 0) or vector(0)", _ALARM),
        (Text("Silent", "They do not answer."), f"count({known} == 4) or vector(0)", _ALARM),
    ]
    for text, promql, steps in counts:
        yield put(number(text, "none", Query(promql), steps), 4, 4)


def _which() -> Iterator[AnyPanel]:
    rows = Query(_many("vcam:state:code"), _WHOSE)
    yield put(timeline(_STATES_TEXT, [rows], STATES), 24, 8)
    firing = _many("ALERTS", 'alertstate="firing"')
    alerts = Query(f"count by (site, appliance, alertname, severity) ({firing})")
    headings = {"site": "Site", "appliance": "Appliance", "alertname": "Alert", "severity": "Severity"}
    yield put(table(Text("Alerts", "README.md says what to do about each."), alerts, headings), 10, 8)
    joined = f"{_many('vcam_engine_info')} * on (job, instance) group_left (version) vcam_build_info"
    what = Query(f"count by (site, appliance, engine, precision, size, device, version) ({joined})")
    columns = {
        **{"site": "Site", "appliance": "Appliance", "engine": "Engine", "precision": "Precision"},
        **{"size": "Size", "device": "Device", "version": "vcam"},
    }
    yield put(table(Text("What runs where", "Engine, and version of vcam."), what, columns), 14, 8)


def _compared() -> Iterator[AnyPanel]:
    late = [Query(_many("vcam:frame_latency_seconds:p95_1m"), _WHOSE), _BUDGET]
    yield put(lines(Text("Latency p95", "From capture to output."), "s", late, limit="budget"), 8, 8)
    compared = [
        (Text("Live frames", "A second."), _many("vcam:live_frames:rate1m")),
        (Text("Cards", "A second, in place of pictures."), _summed("reason", "vcam:safe_frames:rate1m")),
        (Text("Drops", "A second: captured, not shown."), _summed("reason", "vcam:dropped_frames:rate1m")),
        (Text("Processor", "Cores in use by vcam."), f"rate({_many('process_cpu_seconds_total')}[1m])"),
        (Text("Starts", "Anew, in an hour."), f"changes({_many('process_start_time_seconds')}[1h])"),
    ]
    for text, promql in compared:
        yield put(lines(text, "none", [Query(promql, _WHOSE)]), 8, 8)


def _filled(board: Dashboard, panels: Iterable[AnyPanel]) -> Dashboard:
    for index, panel in enumerate(panels):
        board.with_panel(panel.id(index + 1))
    return board


def _board(title: str, uid: str, text: str) -> Dashboard:
    others = DashboardLink("vcam").type(DashboardLinkType.DASHBOARDS).tags(["vcam"]).keep_time(True)
    return (
        Dashboard(title)
        .uid(uid)
        .description(text)
        .tags(["vcam"])
        .refresh("5s")
        .time("now-15m", "now")
        .readonly()
        .link(others)
        .with_variable(DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )


def _choice(label: str, query: str, *, multiple: bool) -> QueryVariable:
    """A choice above the panels; one of many has "all", which takes what lacks the label, too."""
    variable = QueryVariable(label).label(label.capitalize()).datasource(SOURCE).query(query)
    variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).multi(multiple).include_all(multiple)
    return variable.all_value(".*") if multiple else variable


def _one(metric: str, *conditions: str) -> str:
    """The metric of the appliance that is chosen."""
    return _where(metric, 'appliance=~"$appliance"', *conditions)


def _many(metric: str, *conditions: str) -> str:
    """The metric of the appliances that are chosen, of vcam's own job."""
    return _where(metric, _VCAM, 'site=~"$site"', 'appliance=~"$appliance"', *conditions)


def _summed(label: str, metric: str) -> str:
    return f"sum without ({label}) ({_many(metric)})"


def _where(metric: str, *conditions: str) -> str:
    return f"{metric}{{{','.join(conditions)}}}"
