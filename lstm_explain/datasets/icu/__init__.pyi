from .loader import load_icu as load_icu
from .rule import true_cause as true_cause
from .rule import true_log_odds as true_log_odds
from .rule import true_shap as true_shap
from .variables import icu_reference_ranges as icu_reference_ranges
