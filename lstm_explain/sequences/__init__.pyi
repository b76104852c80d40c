from .data import SequenceData as SequenceData
from .resampling import UnevenStepsWarning as UnevenStepsWarning
from .words import load_vocabulary as load_vocabulary
from .words import make_vocabulary as make_vocabulary
from .words import save_vocabulary as save_vocabulary
from .words import tokenise as tokenise
