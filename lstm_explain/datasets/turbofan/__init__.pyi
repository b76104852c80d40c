from .loader import load_turbofan as load_turbofan
from .rule import true_cause as true_cause
from .rule import true_wear as true_wear
