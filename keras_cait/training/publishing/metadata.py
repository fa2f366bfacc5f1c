"""Metadata of a model card, with the names that the Hugging Face hub searches for."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.training.publishing.accuracies import own_accuracy
from keras_cait.training.publishing.settings_of_interest import is_distilled
from keras_cait.training.settings.run_settings import RunSettings

_HUB = "hf://"


def card_metadata(
    settings: RunSettings, data: ImageDataset, results: Mapping[str, Any]
) -> ModelCardData:
    """The metadata of the model of a run; `to_yaml()` writes it.

    A license is not among it: that of the weights depends on the images.
    """
    weights = str(getattr(settings, "weights", ""))
    return ModelCardData(
        library_name="keras",
        pipeline_tag="image-classification",
        tags=[
            *("keras-cait", "vision-transformer"),
            *(["distillation"] if is_distilled(settings) else []),
        ],
        base_model=weights.removeprefix(_HUB).partition("@")[0]
        if weights.startswith(_HUB)
        else None,
        metrics=["accuracy"],
        model_name=f"{results['model']} on {data.name}",
        eval_results=[
            EvalResult(
                task_type="image-classification",
                dataset_type=data.name,
                dataset_name=data.name,
                dataset_split=settings.test_split,
                metric_type="accuracy",
                metric_value=round(own_accuracy(results), 4),
            )
        ],
    )
