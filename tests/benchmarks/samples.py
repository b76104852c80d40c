"""The simulators of data/, for other seeds and sizes than those of the stored samples."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "data"))
from make_icu_sample import sample_stays as sample_stays
from make_reviews_sample import sample_reviews as sample_reviews
from make_sentences import sample_sentences as sample_sentences
