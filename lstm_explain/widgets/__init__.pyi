from .explorer import explore as explore
from .gate_player import play_gates as play_gates
