"""Checks the requirements of trace file readers: the Trace Event Format, "JSON Object Format" and the events used here.

Perfetto has two more: a thread's number is unique in the file, and complete events of a thread are disjoint or nested;
it drops events that overlap.
"""
from numbers import Real

ROUNDING = 1e-3  # times are in microseconds, written to the nanosecond


def check_complete(event):
    assert isinstance(event["dur"], Real) and event["dur"] >= 0, event
    assert isinstance(event["cat"], str) and isinstance(event["args"], dict), event


def check_instant(event):
    assert event["s"] in ("g", "p", "t"), event


def check_metadata(event):
    assert event["name"] in ("process_name", "thread_name") and isinstance(event["args"]["name"], str), event


KINDS = {"X": check_complete, "i": check_instant, "M": check_metadata}


def check_event(event):
    assert isinstance(event["name"], str) and event["ph"] in KINDS, event
    assert all(isinstance(event[key], int) and event[key] >= 0 for key in ("pid", "tid")), event
    assert event["ph"] == "M" or (isinstance(event["ts"], Real) and event["ts"] >= 0), event
    KINDS[event["ph"]](event)


def check_threads(events):
    """Each thread with events has a name and a unique number."""
    processes = {e["pid"] for e in events if e["name"] == "process_name"}
    threads = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name"}
    assert len({tid for _, tid in threads}) == len(threads), threads
    for event in events:
        if event["ph"] == "X" or event.get("s") == "t":
            assert event["pid"] in processes and (event["pid"], event["tid"]) in threads, event


def check_nesting(events):
    threads = {}
    for event in events:
        if event["ph"] == "X":
            threads.setdefault(event["tid"], []).append(event)
    for thread in threads.values():
        ends = []
        for event in sorted(thread, key=lambda e: (e["ts"], -e["dur"])):
            while ends and ends[-1] <= event["ts"] + ROUNDING:
                ends.pop()
            end = event["ts"] + event["dur"]
            assert not ends or end <= ends[-1] + ROUNDING, "an event overlaps another: %s" % event
            ends.append(end)


def check(trace):
    assert trace.get("displayTimeUnit") in ("ms", "ns"), trace.keys()
    for event in trace["traceEvents"]:
        check_event(event)
    check_threads(trace["traceEvents"])
    check_nesting(trace["traceEvents"])
