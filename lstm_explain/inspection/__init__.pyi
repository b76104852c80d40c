from .anatomy import Anatomy as Anatomy
from .background import Background as Background
from .counterfactual import smallest_change as smallest_change
from .gradients import DeepExplainerWarning as DeepExplainerWarning
from .model_checks import PaddingWarning as PaddingWarning
from .observation import inspect as inspect
