from .loader import load_demand as load_demand
from .simulation import DemandTruth as DemandTruth
from .simulation import demand_truth as demand_truth
from .simulation import simulate_demand as simulate_demand
from .simulation import simulate_weather as simulate_weather
from .weather import load_weather as load_weather
