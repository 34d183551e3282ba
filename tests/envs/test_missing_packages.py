"""Without Gymnasium or PettingZoo the JAX forms are there, and the others say in one line what to install."""

import subprocess
import sys

HIDE = "import sys; sys.modules[{name!r}] = None; import asterism.envs; "


def run(name, code):
    done = subprocess.run([sys.executable, "-c", HIDE.format(name=name) + code], capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1:] + done.stdout.split()


def test_what_is_missing_is_said_in_one_line():
    line = "asterism.errors.UserError: asterism.envs.{} needs {}, which is not installed: pip install -e '.[envs]'"
    assert run("gymnasium", "asterism.envs.register()") == [line.format("register()", "gymnasium")]
    assert run("gymnasium", "from asterism.envs import AgainstBot") == [line.format("AgainstBot", "gymnasium")]
    assert run("pettingzoo", "from asterism.envs import TwoPlayers") == [line.format("TwoPlayers", "pettingzoo")]


def test_importing_imports_and_registers_nothing():
    assert run("gymnasium", "print('jax' in sys.modules); from asterism.envs import auto_reset, Duel; print(True)") == [
        "False",
        "True",
    ]
