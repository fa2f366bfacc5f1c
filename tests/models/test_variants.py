import dataclasses

import pytest

import keras_cait
from keras_cait.models.variants import CAIT_VARIANTS, DEIT_VARIANTS
from tests.parity.reference import TIMM_NAMES, manifest

NAMES = {
    "DeiT_Ti": "deit_tiny_patch16_224",
    "DeiT_S": "deit_small_patch16_224",
    "DeiT_B": "deit_base_patch16_224",
    "DeiT_Ti_Distilled": "deit_tiny_distilled_patch16_224",
    "DeiT_S_Distilled": "deit_small_distilled_patch16_224",
    "DeiT_B_Distilled": "deit_base_distilled_patch16_224",
}
VARIANTS = pytest.mark.parametrize("variant", DEIT_VARIANTS.values(), ids=DEIT_VARIANTS)


def test_names_are_the_papers_and_timms():
    assert {name: row.timm_name for name, row in DEIT_VARIANTS.items()} == NAMES
    assert [row.name for row in DEIT_VARIANTS.values()] == list(DEIT_VARIANTS)
    assert {*NAMES} <= {*keras_cait.__all__}


def test_every_released_checkpoint_is_of_a_variant():
    stems = {name.rsplit("_", 1)[0] for name in NAMES.values()}
    stems |= {
        v.timm_name.rsplit("_", 1)[0] for v in CAIT_VARIANTS.values() if v.timm_name
    }
    assert {name.rsplit("_", 1)[0] for name in TIMM_NAMES} == stems


@VARIANTS
def test_sizes_are_those_of_the_checkpoint(variant):
    record = manifest(variant.timm_name)
    shapes = record["state_dict"]
    assert variant.embed_dim == shapes["cls_token"][-1]
    assert variant.depth == sum(name.endswith(".attn.qkv.weight") for name in shapes)
    assert variant.num_heads == variant.embed_dim // 64  # DeiT, table 1
    assert [variant.patch_size] * 2 == shapes["patch_embed.proj.weight"][2:]
    assert [3, variant.image_size, variant.image_size] == record["input_size"]
    assert variant.distilled == ("dist_token" in shapes)
    assert variant.hub_id == record["hf_hub_id"]


@VARIANTS
def test_rows_are_frozen_and_cite_their_source(variant):
    assert "DeiT" in variant.source
    with pytest.raises(dataclasses.FrozenInstanceError):
        variant.depth = 1
