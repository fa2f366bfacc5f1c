import dataclasses
import inspect

import pytest

import keras_cait
from keras_cait.models.published.families import FAMILIES
from keras_cait.variants import VARIANTS
from tests.support.reference import TIMM_NAMES, manifest

CHECKPOINTS = {
    row.hub_id: (variant, row)
    for variant in VARIANTS.values()
    for row in variant.checkpoints
}
TRANSFORMERS = [name for name in TIMM_NAMES if not name.startswith("regnety")]
HEAD_WIDTHS = {"deit": 64, "deit3": 64, "cait": 48}
EACH = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)


def _head_width(variant):
    return 80 if variant.name == "DeiT3_H" else HEAD_WIDTHS[variant.family]


def test_every_released_checkpoint_has_its_row():
    assert sorted({row.timm_name for _, row in CHECKPOINTS.values()}) == TIMM_NAMES


@EACH
def test_every_variant_has_a_public_builder(variant):
    assert VARIANTS[variant.name] is variant
    assert variant.name in keras_cait.__all__


@pytest.mark.parametrize("timm_name", TIMM_NAMES)
def test_the_checkpoint_is_as_timm_has_it(timm_name):
    record = manifest(timm_name)
    _, row = CHECKPOINTS[record["hf_hub_id"]]
    assert row.timm_name == timm_name
    assert [3, row.image_size, row.image_size] == record["input_size"]
    assert row.crop_pct == record["crop_pct"]


@pytest.mark.parametrize("timm_name", TRANSFORMERS)
def test_sizes_are_those_of_the_checkpoint(timm_name):
    record = manifest(timm_name)
    variant, _ = CHECKPOINTS[record["hf_hub_id"]]
    shapes = record["state_dict"]
    assert variant.embed_dim == shapes["cls_token"][-1]
    assert variant.depth == sum(name.endswith(".attn.qkv.weight") for name in shapes)
    assert variant.num_heads == variant.embed_dim // _head_width(variant)
    assert [variant.patch_size] * 2 == shapes["patch_embed.proj.weight"][2:]
    assert variant.distilled == ("dist_token" in shapes)


@EACH
def test_sizes_are_arguments_of_the_family(variant):
    arguments = inspect.signature(FAMILIES[variant.family]).parameters.values()
    needed = {a.name for a in arguments if a.default is a.empty}
    assert needed <= variant.sizes.keys() <= {a.name for a in arguments}


@pytest.mark.parametrize(
    ("name", "shape", "found"),
    [
        ("DeiT_B", (224, 224, 3), "timm/deit_base_patch16_224.fb_in1k"),
        ("DeiT_B", (384, 384, 3), "timm/deit_base_patch16_384.fb_in1k"),
        ("CaiT_S24", (128, 512, 3), "timm/cait_s24_224.fb_dist_in1k"),
        ("CaiT_S24", (320, 320, 3), "timm/cait_s24_384.fb_dist_in1k"),
        ("CaiT_M48", (224, 224, 3), "timm/cait_m48_448.fb_dist_in1k"),
        # Of two for one size it is the first, here the published teacher.
        ("DeiT3_B", (384, 384, 3), "timm/deit3_base_patch16_384.fb_in1k"),
        ("RegNetY_16GF", (224, 224, 3), "timm/regnety_160.deit_in1k"),
    ],
)
def test_the_checkpoint_is_the_nearest_in_size(name, shape, found):
    assert VARIANTS[name].checkpoint_for(shape).hub_id == found


def test_weights_that_were_never_published_are_refused():
    message = "(?s)for CaiT_S48; they were for .*CaiT_S24, CaiT_S36.*weights=None"
    with pytest.raises(ValueError, match=message):
        VARIANTS["CaiT_S48"].checkpoint_for((224, 224, 3))


@EACH
def test_rows_are_frozen_and_cite_their_source(variant):
    assert variant.family in variant.source.lower().replace(" iii", "3")
    with pytest.raises(dataclasses.FrozenInstanceError):
        variant.depth = 1
