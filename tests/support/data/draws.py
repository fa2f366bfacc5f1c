"""Many draws of a random function, and distances between distributions."""

import numpy as np
import tensorflow as tf


def draws(function, number=10_000):
    """Results of `function` for `number` seeds, stacked, as NumPy arrays."""
    seeds = tf.data.Dataset.range(number).map(lambda n: tf.stack([n, 0]))
    drawn = seeds.map(function, num_parallel_calls=2).batch(number)
    return tf.nest.map_structure(np.asarray, drawn.get_single_element())


def distance_from_uniform(values, low, high):
    """Largest difference of the distribution functions, Kolmogorov and Smirnov's."""
    values = np.sort((np.asarray(values) - low) / (high - low))
    steps = np.arange(len(values) + 1) / len(values)
    return max(np.abs(values - steps[1:]).max(), np.abs(values - steps[:-1]).max())


def distance(first, second):
    """The same of two samples."""
    places = np.concatenate([first, second])
    ranks = [
        np.searchsorted(np.sort(sample), places, side="right") / len(sample)
        for sample in (first, second)
    ]
    return np.abs(ranks[0] - ranks[1]).max()
