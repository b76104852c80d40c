from .baselines import compare_forecasts as compare_forecasts
from .baselines import gjr_garch as gjr_garch
from .baselines import har as har
from .baselines import persistence as persistence
from .baselines import qlike_losses as qlike_losses
from .loader import load_market as load_market
