"""Parameters that several commands have, with their help."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Images = Annotated[
    list[Path], Parameter(help="images, or folders of images", negative=())
]
MODEL = "a builder's or timm's name, or a .keras file"
Model = Annotated[str, Parameter(help=MODEL, alias="-m")]
WEIGHTS = "imagenet (default), none for random ones, a file, or hf://owner/repo"
Weights = Annotated[str | None, Parameter(help=WEIGHTS)]
Labels = Annotated[Path | None, Parameter(help="text file with one class name a line")]
Size = Annotated[
    int | None, Parameter(help="side of the images in pixels, if not the model's own")
]
Overwrite = Annotated[bool, Parameter(help="replace an existing file", negative=())]
Json = Annotated[bool, Parameter(name="--json", help="print JSON", negative=())]
