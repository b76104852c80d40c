"""Of many requests the newest one wins."""

import threading

from lstm_explain.widgets.worker import Newest


def test_the_newest_work_wins():
    worker, begun, go = Newest(), threading.Event(), threading.Event()
    done = []

    def slow(version):
        begun.set()
        go.wait(10)
        done.append((version, worker.is_newest(version)))

    worker.submit(slow)
    begun.wait(10)
    for name in "abc":
        worker.submit(lambda version, name=name: done.append((version, name)))
    go.set()
    assert worker.wait(10)
    assert done == [(1, False), (4, "c")]
    worker.close()
    worker.submit(lambda version: done.append("after the end"))
    assert worker.wait(10)
    assert len(done) == 2
