"""``explain_in_pieces``: explain many samples with intermediate files, and resume after a stop."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..arguments import as_path, check_flag, check_model, check_whole
from ..inspection.background import Background
from ..progress import progress_bar
from ..sequences.data import SequenceData, check_data
from .expected_gradients import explain
from .explanation import Explanation
from .records import fingerprint


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

    Beside the result, memory is needed for one piece only. A piece is written under another name
    and renamed when it is complete, so that an interrupt leaves no incomplete piece.

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
        The folder holds pieces of another model, other samples, background or options.

    Examples
    --------
    >>> explain_in_pieces(model, data.test, "test_set", background=data.train)  # doctest: +SKIP
    """
    check_whole(least=1, remedy="Try 256.", samples_per_piece=samples_per_piece)
    check_flag(progress=progress)
    check_model(model)
    check_data(data=data)
    folder = as_path(folder, folder=True, name="folder")
    folder.mkdir(parents=True, exist_ok=True)
    pieces: list[Explanation] = []
    with progress_bar(len(data), "explaining", "sample", progress) as bar:
        for start in range(0, len(data), samples_per_piece):
            piece_data = data[start : start + samples_per_piece]
            path = folder / f"samples_{start:08d}_{start + len(piece_data):08d}.nc"
            key = _key(model, piece_data, options)
            if path.exists():
                piece = _load(path, key, model)
            else:
                piece = explain(model, piece_data, progress=False, **options)
                piece.to_dataset().attrs["piece_sha256"] = key
                unfinished = path.with_suffix(".unfinished")
                piece.save(unfinished)
                os.replace(unfinished, path)
            pieces.append(piece)
            bar.update(len(piece_data))
    return _joined(pieces)


def _key(model: Any, piece_data: SequenceData, options: dict[str, Any]) -> str:
    """Return a digest of everything that a piece depends on."""
    background = Background.resolve(options.get("background"), piece_data)
    digest = hashlib.sha256(fingerprint(model).encode())
    for owner in (piece_data, background):
        for name in ("values", "tokens", "static", "mask"):
            array = getattr(owner, name, None)
            digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    others = {name: value for name, value in options.items() if name != "background"}
    digest.update(json.dumps(others, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _load(path: Path, key: str, model: Any) -> Explanation:
    piece = Explanation.load(path)
    if piece.provenance["weights_sha256"] != fingerprint(model):
        raise ValueError(
            f"Expected {path.name!r} to explain the same model; its weights differ. Give another "
            "folder, or remove this one to start again."
        )
    if piece.to_dataset().attrs.get("piece_sha256") != key:
        raise ValueError(
            f"Expected {path.name!r} to be made of the same samples, background and options; they "
            "differ. Give another folder, or remove this one to start again."
        )
    return piece


def _joined(pieces: list[Explanation]) -> Explanation:
    datasets = [piece.to_dataset() for piece in pieces]
    joined = xr.concat(
        datasets,
        dim="sample",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
    )
    joined = joined.assign_coords(sample=range(joined.sizes["sample"]))
    joined.attrs = datasets[0].attrs
    return Explanation(joined)
