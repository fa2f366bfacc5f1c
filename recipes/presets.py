"""Settings that suit images of one size, found by trying."""

from dataclasses import dataclass

from keras_cait.data.augmentation import Augmentation


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What a recipe takes where the command line says nothing.

    Attributes:
        student: A name that `student_size` knows.
        epochs: Passes that train each student.
        teacher_epochs: Passes that train the teacher.
        batch_size: Images a step, over all devices.
        learning_rate: Highest rate of the student, a step.
        teacher_learning_rate: Highest rate of the teacher, a step.
        teacher_widths: Channels of each stage of the small convnet.
        teacher_blocks: Residual pairs in each of its stages.
        distillation: Kind of distillation loss.
        alpha: Weight of that loss, in [0, 1].
        augmentation: What every model of the run sees its images through.
    """

    student: str
    epochs: int
    teacher_epochs: int
    batch_size: int
    learning_rate: float
    teacher_learning_rate: float
    teacher_widths: tuple[int, ...]
    teacher_blocks: int
    distillation: str = "hard"
    alpha: float = 0.5
    augmentation: Augmentation


# A student this small, on images this small, gains more from how sure its teacher
# is than from the teacher's choice alone, which is nearly always the label.
DIGITS = Preset(
    student="embed_dim=64,depth=4,num_heads=4,patch_size=4",
    epochs=60,
    teacher_epochs=30,
    batch_size=32,
    learning_rate=2e-3,
    teacher_learning_rate=2e-3,
    teacher_widths=(32, 64),
    teacher_blocks=1,
    distillation="soft",
    alpha=0.9,
    augmentation=Augmentation(shift=0.15, rotation=15, zoom=0.2),
)

THUMBNAILS = Preset(
    student="embed_dim=64,depth=6,num_heads=4,patch_size=4",
    epochs=5,
    teacher_epochs=8,
    batch_size=64,
    learning_rate=2e-3,
    teacher_learning_rate=4e-3,
    teacher_widths=(16, 32, 64),
    teacher_blocks=1,
    distillation="soft",
    alpha=0.9,
    augmentation=Augmentation(shift=0.125, flip=True),
)

PHOTOGRAPHS = Preset(
    student="DeiT_Ti",
    epochs=100,
    teacher_epochs=30,
    batch_size=64,
    learning_rate=5e-4,
    teacher_learning_rate=1e-3,
    teacher_widths=(64, 128, 256, 512),
    teacher_blocks=2,
    augmentation=Augmentation(shift=0.1, zoom=0.2, flip=True),
)


def preset_for(image_side: int) -> Preset:
    """The preset for images whose shorter side is so many pixels.

    Example:
        >>> preset_for(32).student
        'embed_dim=64,depth=6,num_heads=4,patch_size=4'

    """
    if image_side <= 16:
        return DIGITS
    return THUMBNAILS if image_side <= 64 else PHOTOGRAPHS
