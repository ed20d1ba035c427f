"""A surveillance camera: where it looks, how it sees. The statistics of cameras are those of a domain."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from reid.data.synthetic.background import paint_background
from reid.data.synthetic.canvas import Pixels
from reid.data.synthetic.domain import DAY, Domain
from reid.seeding import numpy_generator

WIDTH, HEIGHT = 64, 128  # of an image, in pixels
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
    domain: Domain

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


def camera(seed: int, index: int, domain: Domain = DAY) -> Camera:
    """The camera with number `index` (from 1) of a domain."""
    rng, optics = numpy_generator(seed, "camera", index), domain.optics
    cast = np.exp(rng.normal(0, optics.cast, 3))
    red, green, blue = (float(value) for value in cast / cast.mean() * rng.uniform(*optics.gain) * optics.tint)
    pitch = float(rng.uniform(*optics.pitch))
    return Camera(
        pitch=pitch,
        heading=float(rng.uniform(-180, 180)),
        light=float(rng.uniform(-1, 1)),
        gains=(red, green, blue),
        contrast=float(rng.uniform(*optics.contrast)),
        saturation=float(rng.uniform(*optics.saturation)),
        haze=float(rng.uniform(*optics.haze)),
        sharpness=float(rng.uniform(*optics.sharpness)),
        blur=float(rng.uniform(*optics.blur)),
        noise=float(rng.uniform(*optics.noise)),
        quality=int(rng.integers(*optics.jpeg)),
        background=paint_background(rng, pitch, domain.place),
        domain=domain,
    )
