from .cohorts import drivers_by_group as drivers_by_group
from .comparison import compare as compare
from .expected_gradients import ToleranceWarning as ToleranceWarning
from .expected_gradients import explain as explain
from .explanation import Explanation as Explanation
from .pieces import explain_in_pieces as explain_in_pieces
from .shapley import interactions as interactions
from .shapley import shapley_values as shapley_values
