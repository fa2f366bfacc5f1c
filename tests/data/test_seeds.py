"""Derived seeds are distinct and repeatable."""

from keras_cait.data.seeds import derive_seed


def test_places_have_distinct_seeds():
    places = [
        (seed, epoch, sample)
        for seed in (0, 1)
        for epoch in (0, 1, 2)
        for sample in range(30)
    ]
    seeds = {tuple(derive_seed(*place).numpy()) for place in places}
    assert len(seeds) == len(places)


def test_a_seed_can_be_derived_in_two_steps():
    assert tuple(derive_seed(derive_seed(3, 5), 7).numpy()) == tuple(
        derive_seed(3, 5, 7).numpy()
    )
    assert tuple(derive_seed(3, 5, 7).numpy()) != tuple(derive_seed(3, 7, 5).numpy())
