from .loader import load_reviews as load_reviews
from .loader import review_rationales as review_rationales
from .rule import true_log_odds as true_log_odds
from .rule import true_rationale as true_rationale
from .rule import true_shapley as true_shapley
