"""Seeds of places are all different, and always the same."""

from keras_cait.data.seeds import seed_of


def test_places_have_seeds_of_their_own():
    places = [
        (seed, epoch, sample)
        for seed in (0, 1)
        for epoch in (0, 1, 2)
        for sample in range(30)
    ]
    seeds = {tuple(seed_of(*place).numpy()) for place in places}
    assert len(seeds) == len(places)


def test_a_seed_goes_on_from_another():
    assert tuple(seed_of(seed_of(3, 5), 7).numpy()) == tuple(seed_of(3, 5, 7).numpy())
    assert tuple(seed_of(3, 5, 7).numpy()) != tuple(seed_of(3, 7, 5).numpy())
