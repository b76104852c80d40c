"""Long work: pieces equal the whole, an interrupt loses nothing, other pieces are refused."""

import numpy as np
import pytest
import tiny

import lstm_explain as lx


def run(folder, **options):
    data = tiny.padded()
    settings = {"background": data.train, "samples_per_piece": 5, "progress": False} | options
    return lx.attribution.explain_in_pieces(tiny.model(), data.test, folder, **settings)


@pytest.mark.slow
def test_pieces_equal_the_whole(tmp_path):
    data = tiny.padded()
    whole = lx.explain(tiny.model(), data.test, background=data.train, progress=False)
    joined = run(tmp_path)
    np.testing.assert_allclose(joined.values, whole.values, atol=0.05 * np.abs(whole.values).max())
    np.testing.assert_allclose(joined.base_values, whole.base_values, rtol=1e-6)
    np.testing.assert_array_equal(joined.data, whole.data)
    assert list(joined.values["sample"].values) == list(range(len(data.test)))
    assert len(list(tmp_path.glob("*.nc"))) == 3


def test_an_interrupt_keeps_whole_pieces_and_the_next_call_goes_on(tmp_path, monkeypatch):
    calls = []

    def interrupted(*args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return lx.explain(*args, **kwargs)

    monkeypatch.setattr("lstm_explain.attribution.pieces.explain", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["samples_00000000_00000005.nc"]
    joined = run(tmp_path)
    assert len(calls) == 4  # the first piece was not explained again
    monkeypatch.undo()
    np.testing.assert_array_equal(joined.values, run(tmp_path / "fresh").values)


def test_pieces_of_other_work_are_refused(tmp_path):
    run(tmp_path)
    for other in ({"scale": "probability"}, {"output": 0}, {"background": tiny.padded().train[:9]}):
        with pytest.raises(ValueError, match="the same samples, background and options"):
            run(tmp_path, **other)
    data = tiny.padded()
    other = lx.build_model(data, units=(4,), attention_units=3, seed=9)
    with pytest.raises(ValueError, match="to explain the same model; its weights differ"):
        lx.attribution.explain_in_pieces(
            other, data.test, tmp_path, background=data.train, samples_per_piece=5
        )
    with pytest.raises(
        ValueError, match="samples_per_piece to be a whole number of at least 1; received 0"
    ):
        run(tmp_path, samples_per_piece=0)
