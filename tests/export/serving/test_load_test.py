"""The load test counts right, wrong and lost answers of many clients."""

import pytest
import tensorflow as tf

from export.serving import load_test, many_clients


def test_no_request_is_lost_or_wrong(served, capfd):
    code = load_test.main([str(served.path), "--requests", "96", "--clients", "8"])
    assert code == 0
    said = capfd.readouterr().out
    assert said.startswith("96 requests: 96 right, 0 wrong, 0 lost; p50 ")
    assert "p99" in said


@pytest.mark.export
def test_no_request_of_a_thousand_is_lost_or_wrong(served):
    load = many_clients.send(
        served.signatures["serving_default"],
        many_clients.pictures(),
        requests=1000,
        clients=8,
    )
    assert (load.answered, load.wrong, load.lost) == (1000, 0, 0)


class Faulty:
    """A model that answers some requests otherwise."""

    def __init__(self, model, fault, from_call):
        self.model, self.fault, self.from_call = model, fault, from_call
        self.calls = 0

    def __call__(self, images):
        self.calls += 1
        found = self.model(images=images)
        return self.fault(found) if self.calls > self.from_call else found


def swapped(found):
    return {**found, "indices": found["indices"][:, ::-1]}


def lost(found):
    raise tf.errors.UnavailableError(None, None, "gone")


@pytest.mark.parametrize(("fault", "counted"), [(swapped, "wrong"), (lost, "lost")])
def test_faults_are_counted(fault, counted, served):
    files = many_clients.pictures(2)
    faulty = Faulty(served.signatures["serving_default"], fault, from_call=2 + 10)
    load = many_clients.send(faulty, files, requests=20, clients=1)
    assert (load.answered, getattr(load, counted)) == (10, 10)
    assert "10 right" in str(load)


def test_an_answer_to_a_truncated_file_is_wrong(served):
    (file,) = many_clients.pictures(1)
    model = served.signatures["serving_default"]
    load = many_clients.send(
        lambda images: model(images=tf.constant([file])), [file], requests=50, clients=2
    )
    assert (load.answered, load.wrong, load.lost) == (49, 1, 0)


def test_without_answers_the_latency_is_nan(served):
    files = many_clients.pictures(1)
    model = Faulty(served.signatures["serving_default"], lost, from_call=1)
    load = many_clients.send(model, files, requests=3, clients=2)
    assert str(load).startswith("3 requests: 0 right, 0 wrong, 3 lost; p50 nan ms, ")


def test_an_unreadable_model_or_image_is_one_line(served, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("no image")
    for arguments, said in [
        ([tmp_path / "nowhere"], "nowhere"),
        ([served.path, tmp_path / "missing.jpg"], "missing.jpg"),
        (
            [served.path, tmp_path / "text.jpg"],
            "image 0 of the batch cannot be decoded",
        ),
    ]:
        with pytest.raises(SystemExit) as ended:
            load_test.main([str(one) for one in arguments])
        assert ended.value.code == 2
        *_usage, line = capsys.readouterr().err.splitlines()
        assert "error: " in line
        assert said in line


@pytest.mark.parametrize("flag", ["--requests", "--clients"])
def test_zero_requests_or_clients_are_refused(flag, capsys):
    with pytest.raises(SystemExit) as ended:
        load_test.main(["exported/1", flag, "0"])
    assert ended.value.code == 2
    assert f"{flag}: must be 1 or more. Received: 0" in capsys.readouterr().err
    name = flag.removeprefix("--")
    with pytest.raises(ValueError, match=f"must be 1 or more.* {name}=0"):
        many_clients.send(dict, [], **{name: 0})
