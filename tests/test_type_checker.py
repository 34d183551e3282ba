"""The tests do check shapes and types at run time."""

import numpy as np
import pytest

from asterism.interface.sizes import InterfaceSize
from asterism.web.figures import heat_map


def test_a_wrong_shape_and_a_wrong_type_are_caught():
    with pytest.raises(Exception, match="games"):
        heat_map(("a", "b"), np.zeros((2, 2)), np.zeros((3, 3), int), title="")
    with pytest.raises(Exception, match="entities"):
        InterfaceSize("wrong", entities="64", map=1, location=1, selected=1)
