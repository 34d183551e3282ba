"""The opponents of a cohort's games: each group of a learner's games plays matches, one after the other."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Array, Float

from asterism.league import League, Outcome, Result
from asterism.runtime.arena import Races
from asterism.runtime.cohort import Cohort, Group, Member
from asterism.runtime.devices import ALL
from asterism.runtime.league_settings import LeagueTraining
from asterism.runtime.population import Population
from asterism.runtime.quota import new_quota
from asterism.runtime.rollout import Finished


class Opponents:
    """Draws opponents from the league, puts their weights beside the cohort's, and counts the games that end."""

    def __init__(
        self,
        league: League,
        settings: LeagueTraining,
        races: tuple[str, ...],
        population: Population,
        version: Callable[[str], int],
        policy: Callable[[str], Float[Array, " N"]],
    ):
        """`races`: all of the league. `version`, `policy`: of a player, the updates that it has made (0 if it is
        frozen), and its weights as they are now."""
        self.league, self.settings, self.races = league, settings, races
        self.population, self.version, self.policy = population, version, policy
        self.per_group = settings.lanes // settings.groups

    def choose(self, cohort: Cohort, founded: bool, rng: np.random.Generator) -> tuple[np.ndarray, Races]:
        """Gives new opponents to the groups whose matches are over; returns which games begin anew, and the races of
        those that begin. [K, lanes]"""
        new = np.zeros((len(cohort.members), self.settings.groups), bool)
        races = np.zeros((2, *new.shape), np.int32)
        policies: dict[str, Float[Array, " N"]] = {}
        for k, member in enumerate(cohort.members):
            for g, group in enumerate(member.groups):
                if group is None or group.quota.met:
                    member.groups[g], new[k, g] = self.new_match(member, g, founded, rng)
                races[:, k, g] = member.race, member.groups[g].race
                self.refresh(cohort, k, g, policies)
        return new.repeat(self.per_group, 1), Races(*races.repeat(self.per_group, 2))

    def new_match(self, member: Member, index: int, founded: bool, rng: np.random.Generator) -> tuple[Group, bool]:
        """A group's next match, and whether its games begin anew: with the same opponent they go on. Before the league
        is founded, a learner meets itself, as each race in turn."""
        if founded:
            opponent = self.league.match(member.name, rng).away
            race = self.league.state.players[opponent].race
        else:
            opponent, race = member.name, self.races[index % len(self.races)]
        number, before = self.settings.race_number(race), member.groups[index]
        same = before is not None and (before.opponent, before.race) == (opponent, number)
        quota = new_quota(self.settings.match_games, self.per_group, going_on=same)
        return Group(opponent, number, quota, before.version if same else None), not same

    def refresh(self, cohort: Cohort, k: int, g: int, policies: dict[str, Float[Array, " N"]]) -> None:
        """Puts an opponent's weights in, unless they are there as they are now. `policies`: those that were needed
        before in this iteration."""
        group = cohort.members[k].groups[g]
        version = self.version(group.opponent)
        if version != group.version:
            if group.opponent not in policies:
                policies[group.opponent] = self.population.layout.put(self.policy(group.opponent), ALL)
            cohort.opponents = self.population.put_opponent(cohort.opponents, k, g, policies[group.opponent])
            cohort.members[k].groups[g] = group._replace(version=version)

    def count(self, cohort: Cohort, update: int, finished: Finished) -> list[Result]:
        """Notes that an iteration's games have ended; returns the results of those that count in their matches."""
        results = []
        done, reward = np.asarray(finished.done), np.asarray(finished.reward)
        for k, step, lane in zip(*np.nonzero(done), strict=True):
            member, (g, place) = cohort.members[k], divmod(int(lane), self.per_group)
            group, value = member.groups[g], float(reward[k, step, lane])
            member.groups[g] = group._replace(quota=group.quota.end(place))
            if not group.quota.counts(place):
                continue
            member.tally.count(group.opponent, value)
            match = f"{update}/{member.name}/{step}/{lane}"
            results.append(Result(match, member.name, group.opponent, Outcome(int(np.sign(value))), update))
        return results
