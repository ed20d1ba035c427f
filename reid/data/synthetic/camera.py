"""A surveillance camera: where it looks, how it sees. All statistics of cameras are the constants at the top."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from reid.data.synthetic.background import paint_background
from reid.data.synthetic.canvas import Pixels
from reid.streams import numpy_generator

WIDTH, HEIGHT = 64, 128  # of an image, in pixels
PITCH = (4.0, 30.0)  # degrees below the horizon
CAST = 0.09  # standard deviation of the log gain of a colour channel
GAIN = (0.72, 1.2)
CONTRAST = (0.72, 1.12)
SATURATION = (0.55, 1.15)
HAZE = (0.0, 34.0)  # grey veil, of 255
SHARPNESS = (0.5, 1.0)  # share of the image's resolution that the camera resolves
BLUR = (0.0, 0.55)  # standard deviation in pixels
NOISE = (2.0, 9.0)  # standard deviation, of 255
JPEG = (62, 92)
FLICKER = 0.05  # standard deviation of the log gain between two images of one camera


@dataclass(frozen=True)
class Camera:
    """One camera. `heading`: yaw of people who walk along its main path, degrees; `light`: -1 left .. 1 right;
    `gains` of red, green and blue; `background`: a panorama at twice an image's resolution."""

    pitch: float
    heading: float
    light: float
    gains: tuple[float, float, float]
    contrast: float
    saturation: float
    haze: float
    sharpness: float
    blur: float
    noise: float
    quality: int
    background: Image.Image

    def develop(self, pixels: Pixels, rng: np.random.Generator) -> bytes:
        """The JPEG file this camera makes of a scene's `pixels` (height, width, 3), 0..255."""
        grey = pixels.mean(axis=2, keepdims=True)
        gains = np.array(self.gains, np.float32) * np.float32(np.exp(rng.normal(0, FLICKER)))
        seen = (grey + self.saturation * (pixels - grey)) * gains
        seen = (seen - 118) * np.float32(self.contrast) + 118
        seen = seen * np.float32(1 - self.haze / 255) + np.float32(self.haze)
        image = Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))
        sharpness = self.sharpness * rng.uniform(0.75, 1.0)
        small = (round(WIDTH * sharpness), round(HEIGHT * sharpness))
        image = image.resize(small, Image.Resampling.BILINEAR).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        image = image.filter(ImageFilter.GaussianBlur(self.blur * rng.uniform(0.5, 1.8)))
        noise = rng.standard_normal((HEIGHT, WIDTH, 3), np.float32)
        noise = np.float32(self.noise) * (0.45 * noise + 0.55 * noise[:, :, :1])  # sensors are noisier in luminance
        noisy = np.clip(np.asarray(image, np.float32) + noise, 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(noisy).save(file, "JPEG", quality=self.quality)
        return file.getvalue()


def camera(seed: int, index: int) -> Camera:
    """The camera with number `index` (from 1)."""
    rng = numpy_generator(seed, "camera", index)
    cast = np.exp(rng.normal(0, CAST, 3))
    red, green, blue = (float(value) for value in cast / cast.mean() * rng.uniform(*GAIN))
    pitch = float(rng.uniform(*PITCH))
    return Camera(
        pitch=pitch,
        heading=float(rng.uniform(-180, 180)),
        light=float(rng.uniform(-1, 1)),
        gains=(red, green, blue),
        contrast=float(rng.uniform(*CONTRAST)),
        saturation=float(rng.uniform(*SATURATION)),
        haze=float(rng.uniform(*HAZE)),
        sharpness=float(rng.uniform(*SHARPNESS)),
        blur=float(rng.uniform(*BLUR)),
        noise=float(rng.uniform(*NOISE)),
        quality=int(rng.integers(*JPEG)),
        background=paint_background(rng, pitch),
    )
