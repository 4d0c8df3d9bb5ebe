from vcam.engines.tensorrt_progress import BuildProgress, PhaseTree


def shares(told: list[BuildProgress]) -> list[float]:
    return [round(each.share, 3) for each in told]


def test_phases_within_phases_count_for_their_parents_step() -> None:
    told: list[BuildProgress] = []
    tree = PhaseTree(told.append)
    tree.started("all", None, 2)
    tree.started("half", "all", 2)
    tree.stepped("half", 0)
    tree.started("quarter", "half", 4)
    tree.stepped("quarter", 1)
    tree.finished("quarter")
    tree.stepped("half", 1)
    tree.finished("half")
    tree.stepped("all", 0)
    tree.stepped("all", 1)
    tree.finished("all")
    assert told == [
        BuildProgress("all", 0.0),
        BuildProgress("half", 0.0),
        BuildProgress("half", 0.25),
        BuildProgress("quarter", 0.375),
        BuildProgress("quarter", 0.5),
        BuildProgress("all", 1.0),
    ]


def test_it_never_goes_back() -> None:
    told: list[BuildProgress] = []
    tree = PhaseTree(told.append)
    tree.started("all", None, 3)
    for _ in range(2):  # a phase that is done again
        tree.started("part", "all", 4)
        for step in range(4):
            tree.stepped("part", step)
        tree.finished("part")
    tree.started("another root", None, 5)
    tree.stepped("another root", 0)
    assert shares(told) == sorted(shares(told))
    assert max(shares(told)) <= 1.0


def test_small_steps_are_not_told_one_by_one() -> None:
    told: list[BuildProgress] = []
    tree = PhaseTree(told.append)
    tree.started("all", None, 100_000)
    for step in range(100_000):
        tree.stepped("all", step)
    assert 150 < len(told) < 250
    assert told[-1].share > 0.99


def test_what_it_does_not_know_does_no_harm() -> None:
    told: list[BuildProgress] = []
    tree = PhaseTree(told.append)
    tree.stepped("never begun", 3)
    tree.finished("never begun")
    tree.started("orphan", "unknown", 0)
    tree.stepped("orphan", 7)
    tree.finished("orphan")
    assert shares(told) in ([], [0.0])
