"""What a drawn data set is asked to be."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Identities = Annotated[int, Field(ge=2, le=4999)]  # a pid has four digits and train and test share them


class SyntheticSpec(BaseModel):
    """Size and seed of a drawn data set; equal specs give equal bytes.

    train_identities, test_identities: persons in each part, 2..4999.
    cameras: 2..9, since a file name has one digit for the camera.
    images: images of every identity, 4..400, its queries counted in. They are spread evenly over the 2 or more cameras
        that saw the identity, at least 2 a camera. Junk and distractors come on top (see plan.py).
    seed: any integer from 0.
    domain: "day" on a street, or "night" in winter: other cameras, light, places and clothes. Give each a seed of its
        own, as one seed calls up the same bodies in both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train_identities: Identities
    test_identities: Identities
    cameras: Annotated[int, Field(ge=2, le=9)]
    images: Annotated[int, Field(ge=4, le=400)]
    seed: Annotated[int, Field(ge=0)] = 0
    domain: Literal["day", "night"] = "day"
