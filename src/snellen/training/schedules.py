from typing import NamedTuple
class At(NamedTuple):
    step: int
    n_steps: int
    n_epoch: int
class Schedule:
    def factor(self, at): return 1.0
    def observe(self, v): pass
    def state(self): return {}
    def load_state(self, s): pass
def make_schedule(choices, *, n_epochs): return Schedule()
