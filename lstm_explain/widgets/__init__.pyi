from .explorer import explore as explore
from .gate_player import play_gates as play_gates
from .overview import explore_samples as explore_samples
