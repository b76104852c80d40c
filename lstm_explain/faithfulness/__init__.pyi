from .report import FaithfulnessReport as FaithfulnessReport
from .report import check_faithfulness as check_faithfulness
from .truth import score_cells as score_cells
