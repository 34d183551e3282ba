"""The league stage on a game that compiles in a second: cut off anywhere it ends with the same weights and records;
learners of one program do what each would do alone; each has its own opponents, race and settings."""

from dataclasses import replace
from functools import cache
from itertools import product

import jax
import numpy as np
import pytest
from linear import linear_network
from toy_duel import LOOPS, SIZE, ToyDuel

from asterism.demos import strategy_library
from asterism.interface.observation import Race
from asterism.interface.spec import strategy_spec, zeros
from asterism.league import LeagueSettings, PlayerKind, PopulationBasedTraining, Store
from asterism.league.settings import CheckpointRule
from asterism.learning.reinforcement import WHOLE, Factors, fresh_learner
from asterism.runtime.arena import Races
from asterism.runtime.checkpoints import Checkpoints, load_weights
from asterism.runtime.curves import curve
from asterism.runtime.league import LeagueStage
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.population import make_layout, make_optimizer, make_population
from asterism.runtime.rollout import Conditioning
from asterism.runtime.run_folder import RunFolder
from asterism.runtime.setup import Tools

GAME = ToyDuel()
NETWORK = linear_network(GAME.description, SIZE)
TOOLS = Tools(GAME, NETWORK, NETWORK)
MAIN = "main_agent_terran_0"
TEACHER = NETWORK.init(jax.random.key(7))
SETTINGS = LeagueTraining(
    burn_in=1,
    value_updates=2,
    updates=9,
    lanes=4,
    groups=2,
    unroll=6,
    steps=12,
    match_games=2,
    main_turns=1,
    learn=(),
    checkpoint_seconds=0.0,
    log_every=1,
    z_probability=0.5,
    league=LeagueSettings(
        main_agent_checkpoint=CheckpointRule(20, 40, 0.0),
        main_exploiter_checkpoint=CheckpointRule(20, 20, 1.0),
        league_exploiter_checkpoint=CheckpointRule(20, 20, 1.0),
    ),
)
RARE = CheckpointRule(2000, 4000, 0.7)
TOGETHER = replace(SETTINGS, cohort=3)
THREE_RACES = replace(
    SETTINGS,
    races=("terran", "zerg", "protoss"),
    cohort=12,
    league=replace(SETTINGS.league, league_exploiters=2, league_exploiter_checkpoint=CheckpointRule(100, 100, 1.0)),
    pbt=PopulationBasedTraining(every_steps=20, better_by=0.0),
)
VARIANTS = {"in turn": SETTINGS, "together": TOGETHER, "twelve": THREE_RACES}


class Cut(Exception):
    """Stands for whatever ends a process."""


def library():
    """One strategy, of unit type 5."""
    blank = zeros(strategy_spec(GAME.description, SIZE))
    return strategy_library([blank._replace(units=blank.units.at[5].set(True))])


KINDS = ("main_agent", "main_exploiter", "league_exploiter")


def population(settings):
    """What settings ask for in compiled code: they share it if they differ in the league's rules alone."""
    league = replace(settings.league, **{f"{kind}_checkpoint": CheckpointRule(20, 40, 0.0) for kind in KINDS})
    return compiled(replace(settings, league=league, pbt=PopulationBasedTraining(), updates=1))


@cache
def compiled(settings):
    conditioning = Conditioning(library(), settings.z_probability, settings.reward_probability)
    return make_population(TOOLS, settings, conditioning, make_optimizer(settings))


@pytest.fixture
def league(monkeypatch):
    """Makes the stage of a run: (run, settings) -> LeagueStage. What is the same is compiled once."""
    monkeypatch.setattr("asterism.runtime.league.make_population", lambda tools, settings, *_: population(settings))
    return lambda run, settings=SETTINGS: LeagueStage(run, TOOLS, TEACHER, library(), settings, 0)


def open_run(root, name="run"):
    return RunFolder.create_or_resume(name, {}, root=root)


def same(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


def records(run):
    """Everything in the league's records that training may depend on, and what was logged."""
    state = Store(run.league_path, create=False).load(decay=1.0)
    games = {pair: state.payoff.games(*pair) for pair in product(state.players, repeat=2)}
    series = run.series()["league"].items()
    metrics = {name: values for name, values in series if name.split("/")[0] not in ("rate", "memory")}
    return state.players, state.steps, state.resets, games, metrics


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_a_league_goes_on_as_if_it_had_not_stopped(league, settings, tmp_path, monkeypatch):
    """It is cut after an update's results are on record and before its checkpoint is: nothing is lost or twice."""
    with open_run(tmp_path, "whole") as run:
        stage = league(run, settings)
        whole = stage.train()
        expected = records(run)
        assert len(stage.league.state.players) > len(stage.learners) + 2 and sum(stage.league.state.resets.values())
        everybody = {name: stage.state(name).params for name in stage.learners}
        changed = [member.factors != WHOLE for cohort in stage.cohorts for member in cohort.members]
        assert any(changed) == bool(settings.pbt.every_steps), "somebody took over from another, and changed settings"
    assert not same(whole.policy, TEACHER.policy)

    for cut_at in (1, 3, 7):
        with open_run(tmp_path, f"cut{cut_at}") as run:
            stage = league(run, settings)
            save = stage.save

            def cut(checkpoints, update, save=save, cut_at=cut_at):
                if update == cut_at:
                    raise Cut
                save(checkpoints, update)

            monkeypatch.setattr(stage, "save", cut)
            with pytest.raises(Cut):
                stage.train()
        with open_run(tmp_path, f"cut{cut_at}") as run:
            stage = league(run, settings)
            stage.train()
            assert records(run) == expected
        assert same({name: stage.state(name).params for name in stage.learners}, everybody)


@pytest.mark.parametrize("settings", [SETTINGS, TOGETHER], ids=["in turn", "together"])
def test_only_values_learn_before_the_policy(league, settings, tmp_path):
    """After the first updates everybody has the teacher's policy at 0.6, and one new value; then the policy moves."""
    with open_run(tmp_path) as run:
        stage = league(run, settings)
        stage.prepare()
        stage.step(1)
        founder = NETWORK.cooled(TEACHER, settings.temperature)
        assert settings.temperature == 0.6 and not same(founder.policy, TEACHER.policy)
        assert same(stage.state(MAIN).params, founder), "burnt in, but nothing learned yet"
        for update in (2, 3):
            assert not stage.league.state.players, "not founded yet"
            stage.step(update)
        assert len(stage.learners) == 3 and not any(stage.league.state.steps.values())
        learned = stage.state(MAIN).params
        for params in (stage.state(learner).params for learner in stage.learners):
            assert same(params.policy, founder.policy)
            assert not same(params.value, TEACHER.value)
            assert same(params.value, learned.value)
        stored = load_weights(stage.weights_folder / "founder_terran.safetensors", TOOLS.example_params())
        assert same(stored, learned)
        stage.step(4)
        assert not same(stage.state(MAIN).params.policy, founder.policy)


def test_nothing_is_compiled_twice(league, tmp_path):
    """New, learned and restored weights, on whatever devices, are all the same to the compiled code."""
    for _ in range(2):
        with open_run(tmp_path) as run:
            stage = league(run)
            stage.prepare()
            with Checkpoints(tmp_path / "checkpoints") as checkpoints:
                done = stage.restore(checkpoints)
                for update in range(done + 1, done + 4):
                    stage.step(update)
                stage.save(checkpoints, update)
    assert population(SETTINGS).update._cache_size() == 1


def collected(settings, learners, seed=0):
    """Two collections and an update of learners whose weights and opponents differ; those of learner 1 alone."""
    some = population(replace(settings, cohort=len(learners), races=("terran", "zerg", "protoss")[: len(learners)]))
    weights = [NETWORK.init(jax.random.key(100 + learner)) for learner in learners]
    optimizer = make_optimizer(settings)
    stack = lambda trees: jax.tree.map(lambda *leaves: np.stack(leaves), *trees)  # noqa: E731
    states = some.placed(stack([fresh_learner(params, optimizer) for params in weights]))
    opponents = [[some.flat(NETWORK.init(jax.random.key(10 * k + g)).policy) for g in range(2)] for k in learners]
    opponents = some.layout.put(np.array(opponents), some.layout.games)
    keys = np.stack([jax.random.key_data(jax.random.split(jax.random.key(k), settings.lanes)) for k in learners])
    keys = jax.random.wrap_key_data(keys)
    races = Races(*np.array([[k + 1] * settings.lanes for k in learners])[None].repeat(2, 0).astype(np.int32))
    restart, versions = np.zeros(keys.shape, bool), np.full(len(learners), 5, np.int32)
    workers = some.start(races, keys)
    for _ in range(2):
        turn = some.collect(some.policies(states), versions, opponents, workers, races, restart, keys)
        workers = turn.workers
    factors = Factors(*np.ones((5, len(learners)), np.float32))
    states, carries, metrics = some.update(states, TEACHER, some.batch(turn.trajectories), factors)
    return jax.tree.map(lambda leaf: np.asarray(leaf[learners.index(1)]), (turn[1:], states, carries, metrics))


@pytest.mark.parametrize("learners", [(0, 1, 2), (0, 1)], ids=["groups on each device", "learners on each device"])
def test_a_learner_of_a_population_does_what_it_would_do_alone(learners):
    """Learners see none of each other's weights, opponents, games and races, however they are laid out."""
    alone = collected(SETTINGS, (1,))
    among = collected(SETTINGS, learners)
    close = jax.tree.map(lambda a, b: np.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True), alone, among)
    assert all(jax.tree.leaves(close))
    trajectories = alone[0][0]
    assert (trajectories.version[trajectories.mask] == 5).all() and trajectories.mask.sum() >= 8
    assert (trajectories.observation.scalars.races == 2).all(), "the Zerg meets Zergs"
    assert set(np.diff(trajectories.observation.scalars.game_loop[0]).tolist()) >= {LOOPS, 2 * LOOPS}


@pytest.mark.skipif(jax.device_count() < 2, reason="JAX was started with one device")
def test_layouts():
    """Twelve learners are shared out among two devices; three are not, but their groups are."""
    assert make_layout(12, 4).by_learner and make_layout(12, 4).mesh.size == 2
    assert not make_layout(3, 4).by_learner and make_layout(3, 4).mesh.size == 2
    assert make_layout(3, 3).mesh.size == 1


def test_twelve_learners_of_three_races(league, tmp_path):
    """All learn, each plays its own race and the league's matches, and its weights differ from all others'."""
    settings = replace(THREE_RACES, league=LeagueSettings(league_exploiters=2), pbt=PopulationBasedTraining())
    with open_run(tmp_path) as run:
        stage = league(run, settings)
        stage.prepare()
        for update in range(1, 7):
            stage.step(update)
        assert len(stage.learners) == 12 and len(stage.cohorts) == 1
        kinds = [player.kind for player in stage.learners.values()]
        assert [kinds.count(kind) for kind in list(PlayerKind)[:3]] == [3, 3, 6]
        races = stage.cohorts[0].workers.lanes.timestep.observation.scalars.races[..., 0]
        seats = np.asarray(stage.cohorts[0].workers.lanes.seat)
        own = np.take_along_axis(np.asarray(races), seats[..., None], -1)[..., 0]
        for k, (member, player) in enumerate(zip(stage.cohorts[0].members, stage.learners.values(), strict=True)):
            assert member.name == player.id and (own[k] == Race.named(player.race)).all()
            for group in member.groups:
                assert group.race == Race.named(stage.league.state.players[group.opponent].race)
        assert list(stage.candidates("zerg")) == ["main_agent_zerg_0"], "nobody has a copy yet"
        weights = [stage.state(name).params.policy.delay for name in stage.learners]
        assert all(not same(one, other) for i, one in enumerate(weights) for other in weights[:i])
        assert all(stage.league.state.steps.values())


def test_opponents_are_as_strong_as_they_are_now(league, tmp_path):
    """Rows of opponents hold the newest weights of learners, and the weights of frozen players."""
    with open_run(tmp_path) as run:
        stage = league(run, TOGETHER)
        stage.prepare()
        for update in range(1, 9):
            cohort = stage.cohorts[0]
            before = {name: stage.policy(name) for name in stage.learners}
            stage.step(update)
            for k, member in enumerate(cohort.members):
                for g, group in enumerate(member.groups):
                    if group is None:
                        continue  # The league was founded in this update.
                    expected = before.get(group.opponent, stage.policy(group.opponent))
                    assert same(cohort.opponents[k, g], expected)


def test_a_worse_learner_takes_over_and_changes_settings(league, tmp_path, monkeypatch):
    """It has the weights of its model, and its factors but for some changes; updates go on being counted."""
    settings = replace(
        TOGETHER,
        league=replace(TOGETHER.league, main_agents=2, league_exploiters=0),
        pbt=PopulationBasedTraining(every_steps=1, better_by=0.0, chance=1.0),
    )
    with open_run(tmp_path) as run:
        stage = league(run, settings)
        stage.prepare()
        for update in range(1, 5):
            stage.step(update)
        cohort = stage.cohorts[0]
        worse, model = cohort.members[:2]
        monkeypatch.setattr("asterism.runtime.league.model_for", lambda *_: model.name)
        model.factors = Factors(upgo=2.0)
        updates = worse.updates
        stage.evolve(worse, 0, np.random.default_rng(0))
        assert same(stage.state(worse.name).params, stage.state(model.name).params)
        assert worse.updates == stage.state(worse.name).updates == updates + 1
        ratios = np.array(worse.factors) / np.array(model.factors)
        assert all(np.isclose(ratio, (1.2, 1 / 1.2)).any() for ratio in ratios)
        # No look before the next bound of agent steps.
        stage.settings = replace(stage.settings, pbt=PopulationBasedTraining(every_steps=10**9))
        stage.evolve(worse, 0, np.random.default_rng(0))
        assert worse.updates == updates + 1


def test_games_of_a_learner_with_other_weights_begin_anew(league, tmp_path):
    """Else what the old weights have half won would count for the new ones."""
    with open_run(tmp_path) as run:
        stage = league(run, TOGETHER)
        stage.prepare()
        for update in range(1, 9):
            stage.step(update)
            cohort = stage.cohorts[0]
            new = [not any(member.groups) for member in cohort.members]
            reset = [stage.league.state.resets.get(member.name, 0) for member in cohort.members]
            if any(reset):
                break
        assert reset == [0, 1, 1] and new == [False, True, True]
        restart, _ = stage.opponents.choose(cohort, founded=True, rng=np.random.default_rng(0))
        assert restart[1:].all()


def test_a_main_agent_learns_to_win(league, tmp_path):
    """Points make wins: after some updates the main agent of each seed chooses a type that earns one far more often."""
    settings = replace(
        SETTINGS, updates=160, lanes=16, steps=16, unroll=16, learning_rate=3e-2, value_learning_rate=1e-1,
        losses=replace(SETTINGS.losses, kl=0.0, kl_action_type_early=0.0), checkpoint_seconds=1e9, cohort=3,
        log_every=100, league=LeagueSettings(main_exploiter_checkpoint=RARE, league_exploiter_checkpoint=RARE),
    )  # fmt: skip
    for seed in range(3):
        with open_run(tmp_path, f"run{seed}") as run:
            stage = LeagueStage(run, TOOLS, TEACHER, library(), settings, seed)
            stage.population = population(settings)
            policy = stage.train().policy
        key, z = jax.random.key(seed), GAME.no_strategy()
        _, timestep = GAME.reset(key, z)
        seen = jax.tree.map(lambda leaf: leaf[0], timestep.observation)
        earns = []
        for weights in (stage.founder.policy, policy):
            act = jax.vmap(NETWORK.step, (None, None, None, 0))
            _, action, _ = act(weights, NETWORK.initial_carry(), seen, jax.random.split(key, 400))
            earns.append((action.action_type % 3 == 1).mean())
        assert earns[1] > earns[0] + 0.3


@pytest.mark.parametrize(
    "metric, name",
    [
        ("loss/policy/units", "main_agent/loss/policy/units"),
        ("lag", "lag/main_agent"),
        ("kl/delay", "kl_main_agent/delay"),
    ],
)
def test_names_of_curves(metric, name):
    assert curve("main_agent", metric) == name


def test_metrics_are_logged_as_often_as_asked_whatever_the_updates(league, tmp_path):
    """Each trajectory is learned from twice, and a reset counts as an update: entries come every two turns all the
    same."""
    settings = replace(TOGETHER, reuse=2, log_every=2)
    with open_run(tmp_path) as run:
        stage = league(run, settings)
        stage.train()
        steps, _ = run.series()["league"]["lag/main_exploiter"]
        assert steps == [2, 4, 6, 8, 10, 12] and sum(stage.league.state.resets.values())
        assert max(run.series()["league"]["lag/main_agent"][1]) < 4


def test_a_league_that_is_founded_at_once_can_be_cut_off_before_its_first_checkpoint(league, tmp_path, monkeypatch):
    """Without updates for values the founders are on record at update 0; the next start founds the league anew."""
    settings = replace(SETTINGS, burn_in=0, value_updates=0, updates=4)
    with open_run(tmp_path, "whole") as run:
        whole = league(run, settings).train()
        expected = records(run)
    with open_run(tmp_path, "cut") as run:
        stage = league(run, settings)

        def cut(update):
            raise Cut

        monkeypatch.setattr(stage, "step", cut)
        with pytest.raises(Cut):
            stage.train()
        assert stage.league.state.players
    with open_run(tmp_path, "cut") as run:
        assert same(league(run, settings).train(), whole) and records(run) == expected


def test_exploiters_get_matches_once_the_league_is_founded(league, tmp_path):
    """Main agents may go on with games against themselves."""
    with open_run(tmp_path) as run:
        stage = league(run, TOGETHER)
        # Nobody starts over meanwhile.
        stage.league.settings = LeagueSettings(main_exploiter_checkpoint=RARE, league_exploiter_checkpoint=RARE)
        stage.prepare()
        for update in range(1, 4):
            stage.step(update)
        groups = [member.groups for member in stage.cohorts[0].members]
        assert all(groups[0]) and not any(groups[1]) and not any(groups[2])
        stage.step(4)
        opponents = {group.opponent for member in stage.cohorts[0].members[1:] for group in member.groups}
        assert opponents <= {MAIN, "teacher_terran"}
