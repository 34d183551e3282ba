"""Whom soldiers attack by themselves among larvae: the hatchery comes first."""


def test_a_hatchery_is_attacked_before_its_larvae(full):
    zealot = full.put("Zealot", 14.0, 14.0, player=1)
    larvae = [slot for slot in range(full.slots) if full.units.type[slot] == full.kinds["Larva"]]
    assert larvae
    full.units.position[zealot] = full.units.position[larvae[0]] + 0.8
    before = full.units.health.copy()
    full.wait(12)
    assert full.units.health[0] < before[0]
    assert all(full.units.health[slot] == before[slot] for slot in larvae)
