"""``explain_in_pieces``: explain many samples with intermediate files, and resume after a stop."""

from __future__ import annotations

import json
import re
import warnings
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

from ..arguments import as_path, check_flag, check_whole
from ..files import digest
from ..inspection.anatomy import read_anatomy
from ..inspection.question import check_asked, check_choice, model_of, read_background
from ..progress import progress_bar
from ..sequences.data import SequenceData, check_data
from ..sequences.splitting import window_step
from .expected_gradients import explain
from .explanation import Explanation


def explain_in_pieces(
    model: Any,
    data: SequenceData,
    folder: str | Path,
    *,
    samples_per_piece: int = 256,
    progress: bool = True,
    **options: Any,
) -> Explanation:
    """Explain many samples, writing each piece to a file; a second call resumes where it stopped.

    Beside the result, memory is needed for one piece only. A piece is in the folder complete or not
    at all; one that was damaged later is explained again, with a warning. Several processes may
    work on one folder: each takes over the pieces that are there, and none harms another's.

    Parameters
    ----------
    model : keras.Model
        With one sequence input, and optionally static facts and a mask.
    data : SequenceData
        The samples to explain.
    folder : path
        Where the pieces are kept; made if need be. Remove it to start again.
    samples_per_piece : int
        Samples per file.
    progress : bool
        Show a progress bar.
    **options
        `background`, `output`, `step`, `scale`, `tolerance`, `batch_size` and `inputs` of
        `explain`.

    Returns
    -------
    Explanation
        All samples, in order.

    Raises
    ------
    ValueError
        The folder holds pieces of another model, other samples, background or options, or of
        another version of this package. Another `batch_size`, as after a stop for want of memory,
        may be given.

    Examples
    --------
    >>> explain_in_pieces(model, data.test, "test_set", background=data.train)  # doctest: +SKIP
    """
    check_whole(least=1, remedy="Try 256.", samples_per_piece=samples_per_piece)
    check_flag(progress=progress)
    check_asked(model, options.get("batch_size"))
    check_choice(options.get("output"), options.get("step", "last"), several=True)
    check_data(data=data)
    folder = as_path(folder, folder=True, name="folder")
    pieces: list[Explanation] = []
    model, options["output"] = model_of(model, options.get("output"))
    # Read once: batches may come in another order when they are read again.
    options["background"] = read_background(
        options.get("background"), data, model, options.get("inputs")
    )
    question = _question_key(model, data, options)
    with progress_bar(len(data), "explaining", "sample", progress) as bar:
        for start in range(0, len(data), samples_per_piece):
            piece_data = data[start : start + samples_per_piece]
            path = folder / f"samples_{start:08d}_{start + len(piece_data):08d}.nc"
            key = {**question, "samples": digest(piece_data)}
            piece = _kept(path, key)
            if piece is None:
                piece = explain(model, piece_data, progress=False, **options)
                piece.to_dataset().attrs["piece"] = json.dumps(key)
                piece.save(path)
            pieces.append(piece)
            bar.update(len(piece_data))
    explanation = Explanation.concat(pieces)
    attributes = explanation.to_dataset().attrs
    attributes.pop("piece")
    if (step := window_step(data)) is not None:  # which one piece may not show
        attributes["window_step"] = step
    return explanation


def _question_key(model: Any, data: SequenceData, options: dict[str, Any]) -> dict[str, str]:
    """Return digests of what all pieces depend on, by what a user calls it."""
    anatomy = read_anatomy(model, data, inputs=options.get("inputs"))
    defaults = {
        name: parameter.default
        for name, parameter in signature(explain).parameters.items()
        # A batch size decides how much memory is taken, not what is asked.
        if name not in ("model", "data", "background", "batch_size", "progress")
    }
    reads = (anatomy.roles, anatomy.output_shape, anatomy.link)
    return {
        "model": digest(_architecture(model), reads, *model.get_weights()),
        "background": digest(options["background"]),
        "options": digest(
            sorted((name, options.get(name, default)) for name, default in defaults.items())
        ),
        "version": version("lstm_explain"),
    }


def _architecture(model: Any) -> str:
    """Return the model's class and configuration, its layers numbered in order.

    Keras gives other numbers to the same layers when they are made again.
    """
    names: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        name = match[0]
        return names.setdefault(name, re.sub(r"_\d+$", "", name) + f" {len(names)}")

    try:
        text = json.dumps(model.get_config(), default=lambda thing: type(thing).__qualname__)
    except NotImplementedError:  # a model of the user's own class, which has weights and class only
        text = ""
    # A layer's name stands in its own entry, and in those that it gives its output to.
    text = re.sub(r'(?<="name": ")[^"]+|(?<=\[")[^"]+(?=", \d+, \d+\])', numbered, text)
    return f"{type(model).__module__}.{type(model).__qualname__} {text}"


def _kept(path: Path, key: dict[str, str]) -> Explanation | None:
    """Return the piece at `path`; None if there is none that can be read."""
    if not path.exists():
        return None
    try:
        piece = Explanation.load(path)
    except ValueError as error:
        warnings.warn(f"{path.name} is explained again. {error}", stacklevel=3)
        return None
    kept = json.loads(piece.to_dataset().attrs.get("piece", "{}"))
    if kept != key:
        others = [name for name, made_of in key.items() if kept.get(name) != made_of]
        raise ValueError(
            f"Expected {path.name!r} to be made of the same {', '.join(key)}; received a piece of "
            f"other {', '.join(others)}. Give another folder, or remove this one to start again."
        )
    return piece
