"""Seeds of places are all different, and always the same."""

from keras_cait.data.seeds import derive_seed


def test_places_have_seeds_of_their_own():
    places = [
        (seed, epoch, sample)
        for seed in (0, 1)
        for epoch in (0, 1, 2)
        for sample in range(30)
    ]
    seeds = {tuple(derive_seed(*place).numpy()) for place in places}
    assert len(seeds) == len(places)


def test_a_seed_goes_on_from_another():
    assert tuple(derive_seed(derive_seed(3, 5), 7).numpy()) == tuple(
        derive_seed(3, 5, 7).numpy()
    )
    assert tuple(derive_seed(3, 5, 7).numpy()) != tuple(derive_seed(3, 7, 5).numpy())
