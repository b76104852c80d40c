"""Which files of the package run during one call of ``lx.explain``.

python tests/benchmarks/files_of_explain.py
"""

import sys
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).parents[1]))
import tiny  # the tests' small model and data

import lstm_explain as lx

PACKAGE = Path(lx.__file__).parent


def main() -> None:
    data, model = tiny.padded(), tiny.model()
    samples, background = data.test[:3], data.train
    files: set[str] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE) and path.name != "__init__.py":
            files.add(path.relative_to(PACKAGE).as_posix())

    sys.setprofile(note)
    lx.explain(model, samples, background=background, progress=False)
    sys.setprofile(None)
    print(*sorted(files), f"{len(files)} files", sep="\n")


if __name__ == "__main__":
    main()
