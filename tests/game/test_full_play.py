"""What holds in every game of the full rules, whoever plays: the books balance, nothing is where it cannot be."""

import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full_play import FIRST_IMAGE, FIRST_PAUSED, IMAGES, LANES, LOOPS, MONEY, PARTS, QUEUES, STEPS, FullPlay

from asterism.agent import agent_config, make_network
from asterism.game import buffs
from asterism.game.accounting import supply
from asterism.game.game import tick
from asterism.game.observe import observe
from asterism.game.sight import visible_enemies, watched
from asterism.game.tables import load_units, load_upgrades
from asterism.game.tasks import QUEUED, Kind
from asterism.game.world import walkable
from asterism.interface.observation import Alliance, EntityField, Race
from asterism.interface.spec import selectable_entities, targetable_entities

ROUNDING = 0.01
"""Cells by which places of a game and its image may differ after a tick: what pushes apart make of the last digits."""


@pytest.fixture(scope="module")
def played(compiled_full):
    return FullPlay(compiled_full)


class Ledger:
    """What every unit, order and upgrade has cost, by the books of random play [steps, lanes, parts + 1, ...]."""

    def __init__(self, played, resource):
        rules, self.books = played.game.rules, played.books
        self.tasks, self.task = rules.tasks, rules.task
        rows, made = {row.name: row for row in load_units()}, {*rules.tasks.product} - {0}
        names = [unit.name if kind in made else "" for kind, unit in enumerate(rules.description.unit_types)]
        self.worth = np.array([getattr(rows[name], f"total_{resource}") if name else 0 for name in names], float)
        self.step = np.array(getattr(rules.units, resource), float)
        self.cost = np.array(getattr(rules.tasks, resource), float)
        of = {row.name: getattr(row, resource) for row in load_upgrades()}
        self.upgrades = np.array([of[name] for name in rules.description.upgrades], float)
        self.bank = getattr(played.books, resource).astype(float)

    def ordered(self):
        """What each order is [..., N, Q] (index of a task), of an upgrade the level that is next."""
        books = self.books
        task = self.task[books.orders, books.type[..., None]]
        known = np.repeat(books.upgrades, task.shape[-2] // 2, axis=-2)
        for _ in range(2):
            upgrade = self.tasks.upgrade[task]
            done = (upgrade >= 0) & np.take_along_axis(known, np.maximum(upgrade, 0), -1)
            task = np.where(done & (self.tasks.next_level[task] > 0), self.tasks.next_level[task], task)
        return task

    def assets(self):
        """Worth of each unit that lives, and of what each has in its queue."""
        books, task = self.books, self.ordered()
        kind, first = self.tasks.kind[task], task[..., 0]
        morphs = books.working & (kind[..., 0] == Kind.MORPH)
        # What is in a cocoon is still worth what went in, and what was paid for the change.
        own = np.where(morphs & (self.tasks.cocoon[first] > 0), self.tasks.user[first], books.type)
        unit = self.worth[own] + np.where(morphs, self.cost[first], 0.0)
        queue = np.where(np.isin(kind, QUEUED), self.cost[task], 0.0).sum(-1)
        queue += np.where((kind[..., 0] == Kind.ADDON) & ~books.laid, self.cost[first], 0.0)
        return np.where(living(books) & ~books.fake, unit, 0.0), np.where(books.type > 0, queue, 0.0)

    def cancelled(self):
        """What comes back of structures that are called off [..., 2], and what they were worth beyond their Drone."""
        kind, after = self.books.type[:, :, 0], self.books.type[:, :, 1]
        gone = (self.books.build_left[:, :, 0] > 0) & ((kind != after) | (self.books.health[:, :, 1] <= 0))
        back = np.floor(by_player(np.where(gone, 0.75 * self.step[kind], 0.0)))
        return back, by_player(np.where(gone & (kind != after), self.worth[kind] - self.worth[after], 0.0))


def living(books):
    return (books.type > 0) & (books.health > 0)


def by_player(values):
    return values.reshape(*values.shape[:-1], 2, -1).sum(-1)


@pytest.mark.parametrize("resource", ["minerals", "vespene"])
def test_what_players_have_and_own_changes_by_what_they_bring_home_and_lose_alone(played, resource):
    """To the mineral, in every part of every tick: what is paid for something is what it is worth from then on, and
    what has not been made comes back."""
    ledger, books = Ledger(played, resource), played.books
    unit, queue = ledger.assets()
    own = ledger.bank + by_player(unit + queue) + (books.upgrades * ledger.upgrades).sum(-1)
    alive = living(books)
    lost = by_player(np.where(alive[:, :, :-1] & ~alive[:, :, 1:], unit[:, :, :-1], 0.0))
    change = np.diff(own, axis=2) + lost
    back, gone = ledger.cancelled()
    change[:, :, 0] += gone - back
    brought = books.carrying == 1 + (resource == "vespene")
    load = by_player(np.where(brought & (books.carrying != np.roll(books.carrying, -1, 2)), books.load, 0.0))
    change[:, :, PARTS.index("mining")] -= load[:, :, PARTS.index("mining")]
    # Repair and salvage have rates of their own, and two templars are worth something else as an Archon.
    first = ledger.tasks.kind[ledger.ordered()[..., 0]]
    other = np.isin(first, (Kind.REPAIR, Kind.MERGE)) | ((first == Kind.CAST) & (books.type == played.kinds["Bunker"]))
    change[:, :, -1] *= ~by_player(other & alive)[:, :, -2].astype(bool)
    where = [(PARTS[at[2]], at.tolist(), change[*at]) for at in np.argwhere(change)]
    assert not where, where[:5]


def test_what_is_brought_home_was_mined(played):
    """Fields lose what workers take, and nothing else."""
    books, part = played.books, PARTS.index("mining")
    gas = np.array(played.world.terrain.is_geyser)
    for kind, which in ((1, ~gas), (2, gas)):
        carried = np.where(books.carrying == kind, books.load, 0.0).sum(-1)
        bank = getattr(books, ("minerals", "vespene")[kind - 1]).sum(-1)
        mined = -np.diff(books.amounts[..., which].sum(-1), axis=2)
        total = np.diff(carried + bank, axis=2)
        np.testing.assert_array_equal(mined[:, :, part], total[:, :, part])
        assert (np.delete(mined, part, 2) == 0).all() and (mined[:, :, part].sum(0) > 0).all()


def test_nobody_appears_but_where_units_are_made(played):
    """Births by part of the tick: broodlings in fights, warped in by command, made, summoned."""
    books = played.books
    rules = played.game.rules
    born = living(books)[:, :, 1:] & ~living(books)[:, :, :-1]
    kinds = [set(books.type[:, :, 1 + part][born[:, :, part]].tolist()) for part in range(len(PARTS))]
    of = lambda *which: set(rules.tasks.product[np.isin(rules.tasks.kind, which)].tolist())  # noqa: E731
    larva, broodling = played.kinds["Larva"], played.kinds["Broodling"]
    summoned = set(np.array(rules.magic.spells.summon).tolist())
    made = of(Kind.BUILD, Kind.ADDON, Kind.TRAIN, Kind.MORPH) | {larva}
    for kind, may in zip(kinds, (of(Kind.WARP), {broodling}, set(), set(), made, summoned), strict=True):
        assert kind <= may, kind - may


def test_supply_is_that_of_who_lives_and_of_who_is_made(played):
    """In use, to the unit; beyond the cap only when supply was lost."""
    count = jax.jit(jax.vmap(jax.vmap(lambda state: supply(played.world, state))))
    used, cap = map(np.asarray, count(played.states))
    rows = {row.name: row for row in load_units()}
    kinds = played.game.description.unit_types
    each = np.array([rows[kind.name].supply if kind.name in rows else 0.0 for kind in kinds])
    units, tasks = played.states.units, played.game.rules.tasks
    task = played.game.rules.task[units.order_action[..., 0], units.type]
    product = each[tasks.product[task]] * np.where(tasks.morphs[task], tasks.count[task], 1)
    makes = units.working & np.isin(tasks.kind[task], (Kind.TRAIN, Kind.MORPH))
    turned = makes & (tasks.kind[task] == Kind.MORPH)
    own = np.where(turned, 0.0, each[units.type]) + np.where(makes, product, 0.0)
    own *= living(units) & ~played.books.fake[:, :, -1]
    np.testing.assert_array_equal(by_player(own), used)
    grew = (used[1:] > used[:-1]) & (cap[1:] >= cap[:-1])
    assert (used[1:] <= cap[1:])[grew].all() and grew.any()


def test_states_are_sound(played):
    """Money, places, health and orders are such as can be."""
    units, players, table = played.states.units, played.states.players, played.world.units
    assert (players.minerals >= 0).all() and (players.vespene >= 0).all()
    there = units.type > 0
    inside = played.states.spells.inside >= 0
    walks = there & ~inside & ~np.array(table.flying | table.structure)[units.type]
    assert np.asarray(walkable(played.world, jnp.asarray(units.position.copy())))[walks].all()
    known = np.repeat(players.upgrades, units.type.shape[-1] // 2, -2)
    most = np.array(table.health)[units.type] + (np.array(table.upgrade_health)[units.type] * known).sum(-1)
    alive = there & (units.health > 0)
    assert (units.health <= most + 1e-2)[alive].all()
    for have, column in ((units.shield, table.shield), (units.energy, table.energy)):
        assert ((have >= 0) & (have <= np.array(column)[units.type] + 1e-2))[alive].all()
    total, target = units.type.shape[-1], units.order_target
    named = (units.order_action > 0) & (target >= 0) & (target < total)
    assert np.take_along_axis(units.type[..., None], np.clip(target, 0, total - 1), -2)[named].all()
    empty = units.order_action == 0
    assert (empty[..., 1:] | ~empty[..., :-1]).all() and empty[~there].all()
    assert not (units.working & empty[..., 0]).any()


def test_who_does_nothing_keeps_its_money_and_what_it_had_ordered_gets_made(played):
    paused = np.arange(FIRST_PAUSED, len(LANES))
    minerals = played.states.players.minerals[:, paused, 1]
    assert (np.diff(minerals, axis=0) >= 0).all() and (minerals[-1] > MONEY).all()
    assert (np.diff(played.states.players.vespene[:, paused, 1], axis=0) >= 0).all()
    books, part = played.books, PARTS.index("making")
    born = living(books)[:, :, part + 1] & ~living(books)[:, :, part]
    for lane in paused:
        action, count = QUEUES[LANES[lane][1]]
        product = played.kinds[action.split("_")[1]]
        made = born[:, lane, played.slots :] & (books.type[:, lane, part + 1, played.slots :] == product)
        assert made.sum() == count


def test_a_game_is_the_same_alone_and_in_a_batch(played, compiled_full):
    """Bit for bit, from the same start with the same actions."""
    lane = 1
    state, _, _ = compiled_full.look(jax.tree.map(lambda leaf: leaf[lane], played.first))
    for step in range(STEPS):
        state, _ = compiled_full.step(
            state, jax.tree.map(lambda leaf, t=step: jnp.asarray(leaf[t, lane].copy()), played.actions)
        )
    for name in ("units", "players", "spells", "zerg", "amounts"):
        last = jax.tree.map(lambda leaf: leaf[-1, lane], getattr(played.states, name))
        jax.tree.map(np.testing.assert_array_equal, getattr(state, name), last)


def test_the_image_of_a_game_is_a_game(played):
    """The players swapped on the map's image: after each tick from the image of a state, with the images of actions,
    all is the image of what it was in the game, to the last point of health. Places differ by what rounding makes of
    them, since the image of a number has other digits.

    Two things have no image: the ground that is kept free for add-ons, and goals exactly on the middle of the map.
    """
    own = jax.tree.map(lambda leaf: leaf[:, :FIRST_IMAGE], played.states)
    turned = jax.tree.map(lambda leaf: jnp.asarray(leaf[:, IMAGES].copy()), played.states)
    turned = jax.tree.map(np.asarray, jax.jit(jax.vmap(jax.vmap(played.image.state)))(turned))
    units, image = own.units, turned.units
    lives, ordered = units.type > 0, units.order_action > 0
    for name in ("type", "health", "shield", "energy", "build_left", "cooldown", "windup", "aim", "addon", "working"):
        np.testing.assert_array_equal(getattr(units, name)[lives], getattr(image, name)[lives], name)
    for name in ("carrying", "load", "order_action"):
        np.testing.assert_array_equal(getattr(units, name)[lives], getattr(image, name)[lives], name)
    np.testing.assert_array_equal(units.order_target[ordered], image.order_target[ordered])
    for name in ("race", "minerals", "vespene", "upgrades", "executed_count", "explored", "homeless"):
        np.testing.assert_array_equal(getattr(own.players, name), getattr(turned.players, name), name)
    for part, names in (("spells", ("buffs", "inside", "life")), ("zerg", ("creep", "injects", "larva_left"))):
        for name in names:
            same = getattr(getattr(own, part), name)[lives] == getattr(getattr(turned, part), name)[lives]
            assert same.all(), name
    for name in ("available", "result", "action_type"):
        np.testing.assert_array_equal(getattr(own.turn, name), getattr(turned.turn, name), name)
    np.testing.assert_array_equal(own.snapshots.type, turned.snapshots.type)
    np.testing.assert_array_equal(own.amounts, turned.amounts)
    goal, gap = units.order_position, np.abs(units.order_position - image.order_position).max(-1)
    builds = (
        played.game.rules.tasks.kind[played.game.rules.task[units.order_action, units.type[..., None]]] == Kind.BUILD
    )
    lopsided = builds & (played.world.units.race[units.type] == Race.TERRAN)[..., None]
    assert (gap[ordered & ~lopsided] < ROUNDING).all()
    middle = (goal == played.game.map.cells / 2).any(-1) | (lopsided & (gap > ROUNDING))
    place = np.abs(units.position - image.position).max(-1)[lives & ~(middle & ordered)[..., 0]]
    assert place.max() < ROUNDING


def test_much_happens(played):
    executed = played.states.players.executed
    assert executed.units[-1].any((0, 1)).sum() >= 60


def disturbed(game, state):
    """The state with all changed that the first player cannot know: what enemies out of sight are and do, what is left
    of resources that it does not see, what the enemy has, knows and looks at, and upgrades that no unit shows."""
    world, units, count = game.world, state.units, len(state.units.type)
    hidden = ~jnp.concatenate([jnp.ones(count // 2, bool), visible_enemies(world, state)[0]])
    resources = world.terrain.resources
    seen = watched(world, state, jnp.stack([resources] * 2), jnp.ones((2, len(resources)), bool))[0]
    other = lambda new, old: jnp.where(hidden.reshape(-1, *[1] * (old.ndim - 1)), new, old)  # noqa: E731
    disguised = hidden & ~world.units.structure[units.type] & (world.units.power_radius[units.type] == 0)
    disguised &= ~buffs.hidden(world, state)  # a cloaked unit in another's shape would be seen
    units = units._replace(
        type=jnp.where(disguised & (units.type > 0), world.larva, units.type),
        health=other(units.health * 0.5, units.health),
        shield=other(units.shield * 0.5, units.shield),
        energy=other(units.energy + 7, units.energy),
        cooldown=other(3.0, units.cooldown),
        order_action=other(0, units.order_action),
        working=other(False, units.working),
        carrying=other(1, units.carrying),
        quiet=other(0.0, units.quiet),
    )
    unseen = jnp.asarray(~np.asarray(world.units.upgrade_health).any(0))
    unseen &= jnp.array(["Level" not in name for name in game.description.upgrades])
    second = lambda new, old: old.at[1].set(new)  # noqa: E731
    players = state.players
    players = players._replace(
        minerals=second(9999.0, players.minerals),
        upgrades=second(players.upgrades[1] ^ unseen, players.upgrades),
        camera=second(jnp.array([3.0, 3.0]), players.camera),
        explored=second(False, players.explored),
        amounts=second(1.0, players.amounts),
        knows_race=second(False, players.knows_race),
    )
    amounts = jnp.where(seen, state.amounts, 5.0)
    return state._replace(units=units, players=players, amounts=amounts)


def test_what_a_player_cannot_know_changes_nothing_that_it_sees(played):
    some = jax.tree.map(lambda leaf: jnp.asarray(leaf[11::24].reshape(-1, *leaf.shape[2:])), played.states)

    def both(state):
        states = (state, disturbed(played.game, state))
        return [observe(played.world, one, played.game.description, played.size)[1] for one in states]

    before, after = jax.tree.map(np.asarray, jax.jit(jax.vmap(both))(some))
    for (path, own), changed in zip(jax.tree.leaves_with_path(before), jax.tree.leaves(after), strict=True):
        where = np.argwhere(own[:, 0] != changed[:, 0])
        assert len(where) == 0, (jax.tree_util.keystr(path), where[:5].tolist())
    assert (before.entities[:, 1] != after.entities[:, 1]).any((1, 2)).mean() > 0.9
    enemies = (before.entities[:, 0, :, EntityField.ALLIANCE] == Alliance.ENEMY).any(1)
    assert enemies.mean() > 0.2


def test_what_a_tick_passes_by_would_have_changed_nothing(played, monkeypatch):
    """The ticks of random games are the same where every stage is worked out, needed or not."""
    every = lambda needed, stage, state: stage(state)  # noqa: E731
    for name, module in list(sys.modules.items()):
        if name.startswith("asterism.game.") and hasattr(module, "when"):
            monkeypatch.setattr(module, "when", every)
    lanes, world = [0, 1, 2, 3, 4, 5], played.world
    states = jax.tree.map(lambda leaf: jnp.asarray(leaf[10::30, lanes].reshape(-1, *leaf.shape[2:])), played.states)
    work = lambda states: jax.lax.map(lambda state: tick(world, state, LOOPS), states)  # noqa: E731
    whole = jax.jit(work)(states)
    monkeypatch.undo()
    for (path, ours), all_ in zip(
        jax.tree_util.tree_leaves_with_path(jax.jit(work)(states)), jax.tree.leaves(whole), strict=True
    ):
        np.testing.assert_allclose(ours, all_, atol=2e-3, rtol=1e-4, err_msg=jax.tree_util.keystr(path))


def test_a_network_acts_within_the_masks_in_games_of_all_races(played):
    """With fresh weights it tries everything: only what is available, with units that can do it, each once, at targets
    that may be named; what a type does not use stays empty."""
    game, size = played.game.description, played.size
    tiny = agent_config("tiny")
    fitting = replace(tiny, location=replace(tiny.location, upsample=(16, 8, 1)))
    network = make_network(game, size, fitting)
    policy, carry = network.init(jax.random.key(0)).policy, network.initial_carry()

    @jax.jit
    @jax.vmap
    def acts(state, key):
        _, seen, _ = observe(played.world, state, game, size)
        _, action, _ = jax.vmap(network.step, (None, None, 0, 0))(policy, carry, seen, jax.random.split(key))
        allowed = [
            jax.vmap(lambda o, a, f=f: f(game, o, a))(seen, action.action_type)
            for f in (selectable_entities, targetable_entities)
        ]
        return seen.scalars.available_actions, action, *allowed

    states = jax.tree.map(lambda leaf: leaf[::24].reshape(-1, *leaf.shape[2:]), played.states)
    keys = jax.random.split(jax.random.key(1), len(states.loop))
    flat = lambda leaf: np.asarray(leaf).reshape(-1, *leaf.shape[2:])  # noqa: E731
    available, action, selectable, targetable = jax.tree.map(flat, acts(states, keys))
    kind, units = action.action_type, action.units
    rows = np.arange(len(kind))
    assert available[rows, kind].all() and len(set(kind.tolist())) > 60
    chosen, uses = units >= 0, jax.tree.map(lambda column: np.asarray(column)[kind], game.uses)
    assert (np.diff(chosen.astype(int), axis=1) <= 0).all()
    assert np.take_along_axis(selectable, np.maximum(units, 0), 1)[chosen].all()
    assert all(len({*row[row >= 0]}) == (row >= 0).sum() for row in units)
    np.testing.assert_array_equal(chosen.any(1), uses.units & selectable.any(1))
    named = uses.target_unit & targetable.any(1)
    assert named.sum() > 30 and targetable[rows, action.target_unit][named].all()
    for part in ("queued", "repeat", "target_unit", "location"):
        assert (getattr(action, part)[~getattr(uses, part)] == 0).all(), part
