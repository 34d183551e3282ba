"""Batched inference: what the network does one by one, with the newest weights, in programs of a few sizes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest
from host_toys import BLANK, GAME, LONG, SIZE, moment, telling_network, until
from linear import linear_network
from toys import random_observation

from asterism.runtime.host.buffer import Stopped
from asterism.runtime.host.inference import Inference, new_key


def raises(error):
    raise error


@pytest.fixture
def serve():
    """Makes servers, and closes them."""
    made = []

    def make(network, policy, sizes=(1, 4), wait=0.0, on_error=raises):
        made.append(Inference(network, policy, BLANK, sizes, wait, on_error))
        return made[-1]

    yield make
    for inference in made:
        inference.close()


def ask_at_once(inference, requests):
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(lambda inputs: inference.step(*inputs), requests))


def test_batched_actions_are_those_of_one_by_one(serve):
    network, rng = linear_network(GAME, SIZE), np.random.default_rng(0)
    traced = []

    def step(*inputs):
        traced.append(None)
        return network.step(*inputs)

    policy = network.init(jax.random.key(0)).policy
    inference = serve(network._replace(step=step), policy, sizes=(2, 5), wait=0.01)
    assert len(traced) == 2
    requests = [(np.int32(i), random_observation(rng, GAME, SIZE), new_key(rng)) for i in range(12)]
    # The first is alone, and so padded for sure.
    answers = [inference.step(*requests[0]), *ask_at_once(inference, requests[1:])]
    one = jax.jit(lambda carry, seen, key: network.step(policy, carry, seen, jax.random.wrap_key_data(key)))
    for inputs, answer in zip(requests, answers, strict=True):
        carry, action, log_probs = one(*inputs)
        jax.tree.map(np.testing.assert_array_equal, (answer.carry, answer.action), (carry, action))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), answer.log_probs, log_probs)
    assert len({int(answer.action.location) for answer in answers}) > 2
    assert sum(size * number for size, number in inference.batches.items()) == 12
    assert max(inference.batches) <= 5 and inference.waited > 0
    assert len(traced) == 2, "something was compiled while it served"


def test_a_full_batch_does_not_wait(serve):
    """Three requests fill the batch, in whatever order they come, long before the time is up."""
    inference = serve(telling_network(), np.float32(0), sizes=(3,), wait=10 * LONG)
    ask_at_once(inference, [(np.int32(i), BLANK, new_key(np.random.default_rng(i))) for i in range(3)])
    assert inference.batches == {3: 1}


def test_the_newest_weights_act_and_tell_their_version(serve):
    inference, key = serve(telling_network(), np.float32(0)), new_key(np.random.default_rng(0))
    assert inference.step(np.int32(4), moment(1), key).version == 0
    weights = jax.numpy.float32(7)
    inference.refresh(weights, 3)
    weights.delete()  # as an update does that its state is given to
    answer = inference.step(np.int32(4), moment(1), key)
    assert (answer.version, answer.action.delay, answer.carry) == (3, 7, 5)


def test_closing_refuses_who_waits_and_who_comes(serve):
    inference = serve(telling_network(), np.float32(0), sizes=(2,), wait=10 * LONG)
    inputs = np.int32(0), BLANK, new_key(np.random.default_rng(0))
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(inference.step, *inputs)
        inference.close()
        with pytest.raises(Stopped):
            waits.result(LONG)
    with pytest.raises(Stopped):
        inference.step(*inputs)


def test_what_goes_wrong_is_told_and_nobody_is_left_waiting(serve):
    """No key has three words. Who asks while that comes to light is refused, and so is who asks later."""
    told, failed, go_on = [], threading.Event(), threading.Event()

    def on_error(error):
        told.append(error)
        failed.set()
        assert go_on.wait(LONG)

    inference = serve(telling_network(), np.float32(0), on_error=on_error)
    good = np.int32(0), BLANK, new_key(np.random.default_rng(0))
    with pytest.raises(Stopped):
        inference.step(*good[:2], np.zeros(3, np.uint32))
    assert failed.wait(LONG) and isinstance(told[0], Exception)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(inference.step, *good)
        until(lambda: not inference._requests.empty())
        go_on.set()
        with pytest.raises(Stopped):
            waits.result(LONG)
    with pytest.raises(Stopped):
        inference.step(*good)
