"""Speed of timm's training pipeline, for `data.py --timm`.

python data_timm.py FOLDER IMAGES BATCH_SIZE IMAGE_SIZE PASSES WORKERS

prints the images per second of each pass as JSON.
"""

import json
import sys
import time
from pathlib import Path

from peers import declare_operators


def main(folder: str, *numbers: str) -> None:
    """Reads all images `PASSES` times after a first pass that starts the workers."""
    # torch and timm are in another environment than the project's.
    declare_operators()
    import torch  # pyright: ignore[reportMissingImports]
    from PIL import Image, ImageOps
    from timm.data import (  # pyright: ignore[reportMissingImports]
        Mixup,
        create_transform,
    )

    posterize = ImageOps.posterize  # today's Pillow refuses 0 bits, which timm draws
    ImageOps.posterize = lambda image, bits: posterize(image, max(1, bits))
    number, batch_size, image_size, passes, workers = map(int, numbers)
    paths = sorted(Path(folder).rglob("*.jpg"))[:number]
    transform = create_transform(
        image_size,
        is_training=True,
        auto_augment="rand-m9-mstd0.5-inc1",
        interpolation="bicubic",
        re_prob=0.25,
        re_mode="pixel",
        re_count=1,
    )

    class Photographs(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, index: int) -> tuple:
            image = Image.open(paths[index]).convert("RGB")
            return transform(image), index % 2

    loader = torch.utils.data.DataLoader(
        Photographs(),
        batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=True,
    )
    mixup = Mixup(0.8, 1.0, num_classes=2, label_smoothing=0.1)
    rates = []
    for _ in range(passes + 1):
        started, seen = time.perf_counter(), 0
        for images, labels in loader:
            mixup(images, labels)
            seen += len(images)
        rates.append(seen / (time.perf_counter() - started))
    print(json.dumps(rates[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
