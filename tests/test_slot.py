"""The hand-over under any order of calls, and across threads."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcam.errors import SlotClosedError
from vcam.slot import LatestSlot


@given(st.lists(st.sampled_from(["put", "offer", "take"])))
def test_every_item_is_taken_displaced_or_still_inside(calls: list[str]) -> None:
    slot: LatestSlot[int] = LatestSlot()
    model: int | None = None
    for number, call in enumerate(calls):
        if call == "put":
            assert slot.put(number) == model
            model = number
        elif call == "offer":
            accepted = slot.offer(number, 0.0)
            assert accepted is (model is None)
            model = number if accepted else model
        elif model is None:
            with pytest.raises(TimeoutError):
                slot.take(0.0)
        else:
            assert slot.take(0.0) == model
            model = None


def drain(slot: LatestSlot[int]) -> Iterator[int]:
    """Items until the slot is closed and empty."""
    while True:
        try:
            yield slot.take(5.0)
        except SlotClosedError:
            return


def test_across_threads_items_arrive_in_order_and_are_all_accounted_for() -> None:
    slot: LatestSlot[int] = LatestSlot()
    displaced: list[int] = []
    count = 2000

    def produce() -> None:
        for number in range(count):
            lost = slot.put(number)
            if lost is not None:
                displaced.append(lost)
        slot.close()

    producer = threading.Thread(target=produce)
    producer.start()
    taken = list(drain(slot))
    producer.join()
    assert taken == sorted(taken)
    assert sorted(taken + displaced) == list(range(count))


def test_offer_loses_nothing() -> None:
    slot: LatestSlot[int] = LatestSlot()

    def produce() -> None:
        for number in range(500):
            assert slot.offer(number, 5.0)
        slot.close()

    producer = threading.Thread(target=produce)
    producer.start()
    taken = [slot.take(5.0) for _ in range(500)]
    producer.join()
    assert taken == list(range(500))


def test_close_wakes_a_waiting_taker_and_giver() -> None:
    empty: LatestSlot[int] = LatestSlot()
    full: LatestSlot[int] = LatestSlot()
    full.put(1)
    outcomes: list[str] = []

    def take() -> None:
        with pytest.raises(SlotClosedError):
            empty.take(30.0)
        outcomes.append("take")

    def offer() -> None:
        with pytest.raises(SlotClosedError):
            full.offer(2, 30.0)
        outcomes.append("offer")

    threads = [threading.Thread(target=take), threading.Thread(target=offer)]
    for thread in threads:
        thread.start()
    for slot in (empty, full):
        slot.close()
        slot.close()
    for thread in threads:
        thread.join(10.0)
    assert sorted(outcomes) == ["offer", "take"]


def test_what_was_inside_when_closed_can_still_be_taken() -> None:
    slot: LatestSlot[str] = LatestSlot()
    slot.put("last")
    slot.close()
    assert slot.take(0.0) == "last"
    with pytest.raises(SlotClosedError):
        slot.put("too late")
