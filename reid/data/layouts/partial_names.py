"""File names of the sets that are for testing only: identity_camera, as FastReID reads them.

What stands in the camera's place numbers the images of a person in some copies. It is read as a camera all the same, so
that results compare with published ones: a gallery image with the query's identity and number is not ranked.
"""

import re

NAME = re.compile(r"(\d{1,18})_(\d{1,18})", re.ASCII)
EXAMPLE = "001_2.jpg"
