# SPDX-License-Identifier: MIT OR Apache-2.0
"""The networks by their names in liveness-train: what makes one, what it begins with, what it costs."""
from typing import NamedTuple

import net
import small


class Kind(NamedTuple):
    make: type
    begin: object
    cost: object


NETS = {n.make.name: n for n in (Kind(net.Liveness, net.begin, net.cost), Kind(small.LivenessNet, small.begin, small.cost))}
