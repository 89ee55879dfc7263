"""Paint the dawn mountains behind the poster: a small ray-marched landscape, no photograph.

Usage: python misty_mountains.py OUT.jpg [--scale 1]. Same seed, same picture.
Two pixels to a CSS pixel, so that it prints as finely as it shows.

How it works. A height field is grown from ridged noise with domain warping, then eroded a little,
which gives the branching ridges that plain noise lacks. A camera looks along it; every column of
the picture walks away from the eye and paints what it sees first (the "voxel space" method),
lit by a low sun, dimmed by air that thickens with distance and lies heavier in the valleys.
Sky, light, bloom and film grain are added as a photographer's lens would.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]
SEED = 20
SIZE = 2048  # cells along one side of the height field
WIDTH_PX, HEIGHT_PX = 2160, 3840


def value_noise(rng: np.random.Generator, cells: int, size: int) -> Field:
    """Smooth noise in -1…1 with `cells` features a side, wrapping round at the edges."""
    lattice = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    lattice = np.pad(lattice, ((2, 2), (2, 2)), mode="wrap")
    image = Image.fromarray(lattice)
    step = size / cells
    edge = round(2 * step)
    grown = image.resize((round((cells + 4) * step),) * 2, Image.Resampling.BICUBIC)
    return np.asarray(grown, np.float32)[edge : edge + size, edge : edge + size]


def sample(field: Field, x: Field, y: Field) -> Field:
    """Bilinear look-up that wraps at the edges."""
    size = field.shape[0]
    x0, y0 = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    u, v = x - x0, y - y0
    x0 %= size
    y0 %= size
    x1, y1 = (x0 + 1) % size, (y0 + 1) % size
    top = field[y0, x0] * (1 - u) + field[y0, x1] * u
    return (top * (1 - v) + (field[y1, x0] * (1 - u) + field[y1, x1] * u) * v).astype(np.float32)


def soften(field: Field, radius: float) -> Field:
    """Gaussian blur of any radius, in the frequency domain; wraps at the edges."""
    fy = np.fft.fftfreq(field.shape[0])[:, None]
    fx = np.fft.rfftfreq(field.shape[1])[None]
    keep = np.exp(-2 * (np.pi * radius) ** 2 * (fx**2 + fy**2))
    return np.fft.irfft2(np.fft.rfft2(field) * keep, field.shape).astype(np.float32)


def terrain(rng: np.random.Generator) -> Field:
    """Heights in 0…1: ridged noise, bent by slower noise, with steep flanks and soft floors."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    bend_x = value_noise(rng, 5, SIZE) * 90 + value_noise(rng, 13, SIZE) * 26
    bend_y = value_noise(rng, 5, SIZE) * 90 + value_noise(rng, 13, SIZE) * 26
    height = np.zeros((SIZE, SIZE), np.float32)
    weight = np.ones((SIZE, SIZE), np.float32)
    amplitude, cells = 0.5, 7
    for _ in range(8):
        ridge = np.clip(1 - np.abs(sample(value_noise(rng, cells, SIZE), x + bend_x, y + bend_y)), 0, 1)
        ridge = ridge**2.2 * weight
        height += ridge * amplitude
        weight = np.clip(ridge * 1.7, 0, 1)
        amplitude *= 0.5
        cells = round(cells * 2.07)
    height -= height.min()
    height /= height.max()
    return erode(height, rounds=28)


def erode(height: Field, rounds: int) -> Field:
    """Let loose material slide down slopes that are too steep: sharper crests, calmer floors."""
    talus = 0.0042
    for _ in range(rounds):
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            fall = height - np.roll(height, step, axis)
            slide = np.clip(fall - talus, 0, 0.02) * 0.22
            height = height - slide + np.roll(slide, -step, axis)
    return height


def clouds(rng: np.random.Generator, width: int, height: int) -> Field:
    """Thin streaks of high cloud, 0…1, drawn out along the horizon."""
    field = sum(
        value_noise(rng, cells, SIZE) / (1.9**octave) for octave, cells in enumerate((4, 9, 19, 41, 83, 170))
    )
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    depth = 1 - y / height
    look_x = x / width * 520 + depth * 160
    look_y = (y / height) ** 1.2 * 2600
    streaks = sample(np.asarray(field, np.float32), look_x, look_y)
    return np.clip((streaks - 0.12) * 1.1, 0, 1) ** 1.4


def mix(a: Field, b: Field, t: Field) -> Field:
    return a + (b - a) * t


def gradient(t: Field, stops: list[tuple[float, tuple[int, int, int]]]) -> Field:
    """Colour along `t` through the given stops, in linear light."""
    places = [place for place, _ in stops]
    channels = [[(colour[c] / 255) ** 2.2 for _, colour in stops] for c in range(3)]
    return np.stack([np.interp(t, places, channel) for channel in channels], -1).astype(np.float32)


def paint(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(SEED)
    ground = terrain(rng)
    slope_y, slope_x = np.gradient(ground)
    relief = 300.0
    normal = np.stack([-slope_x * relief, -slope_y * relief, np.ones_like(ground)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    sun = np.array([0.62, 0.58, 0.40], np.float32)
    sun /= np.linalg.norm(sun)
    light = np.clip(normal @ sun, 0, 1).astype(np.float32)
    openness = np.clip(0.5 + (ground - soften(ground, 14)) * 9, 0, 1)

    horizon = 0.535 * height
    sun_x, sun_y = 0.66 * width, 0.470 * height
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    sky = gradient(
        np.clip(y / horizon, 0, 1.2),
        [
            (0.00, (10, 24, 46)),
            (0.25, (22, 44, 74)),
            (0.48, (46, 74, 106)),
            (0.66, (86, 110, 134)),
            (0.80, (156, 160, 162)),
            (0.92, (232, 206, 174)),
            (1.20, (250, 226, 190)),
        ],
    )
    far = np.hypot((x - sun_x) / width, (y - sun_y) / width)
    # the glow lies along the horizon and leaves the upper sky to the words of the design
    spread = np.hypot((x - sun_x) / width * 0.8, (y - sun_y) / width * np.where(y < sun_y, 1.9, 1))
    glow = np.exp(-((spread / 0.32) ** 1.3))[..., None]
    warm = np.array([1.0, 0.74, 0.42], np.float32)
    sky = mix(sky, sky * 0.55 + warm * 0.62, glow * 0.8)
    veil = clouds(rng, width, height)[..., None] * np.clip(1.25 - y / horizon, 0, 1)[..., None]
    sky = mix(sky, np.array([0.80, 0.76, 0.74], np.float32) * (0.42 + 0.6 * glow), veil * 0.26)
    disc = np.clip((0.031 - far) / 0.009, 0, 1)[..., None]
    sky = sky + disc * np.array([1.0, 0.92, 0.72], np.float32) * 0.9

    image = sky.copy()
    eye_x, eye_y, eye_height = 1180.0, 300.0, 205.0
    scale_height, focal = 215.0, 0.92 * height
    columns = np.arange(width, dtype=np.float32)
    bearing = (columns - width / 2) / focal
    filled = np.full(width, height, np.int32)
    rows = np.arange(height, dtype=np.int32)[:, None]
    distance, step = 46.0, 0.5
    dark = np.array([0.018, 0.034, 0.046], np.float32)
    lit = np.array([0.52, 0.33, 0.17], np.float32)
    shade = np.array([0.050, 0.088, 0.118], np.float32)
    fog_noise = np.asarray(value_noise(rng, 9, SIZE) + 0.5 * value_noise(rng, 23, SIZE), np.float32)
    crowns = np.clip(value_noise(rng, SIZE // 2, SIZE) * 0.9 + 0.45, 0, 1)
    patches = value_noise(rng, 31, SIZE) + value_noise(rng, 67, SIZE)
    while distance < 2300:
        wx = eye_x + bearing * distance
        wy = np.full_like(wx, eye_y + distance)
        # hills grow towards the far end, so that the rear range closes the valley
        rise = 0.55 + 0.75 * np.clip((distance - 120) / 1500, 0, 1)
        # a valley runs away from the eye and opens the middle of the picture
        valley = 1 - 0.62 * np.exp(-(((bearing - 0.06 * np.sin(distance / 310)) / 0.13) ** 2))
        level = sample(ground, wx, wy)
        top = level * scale_height * rise * valley * 1.05
        # forest: single crowns near the eye, a rough skin further out, none on the bare crests
        grown = np.clip((1.15 - level) * 5 + sample(patches, wx, wy) * 0.9, 0, 1)
        crown = sample(crowns, wx * 2.1, wy * 2.1) ** 2 * grown
        top = top + crown * 3.6
        screen = horizon + (eye_height - top - 0.012 * distance) / distance * focal
        screen = np.clip(screen, 0, height).astype(np.int32)
        if (screen < filled).any():
            brightness = sample(light, wx, wy)
            cover = sample(openness, wx, wy)
            facing = np.clip(1 - np.abs(columns - sun_x) / width, 0, 1)
            colour = dark + shade * cover[:, None] * 0.9
            colour = colour * (1 - 0.86 * grown * (1 - 0.5 * crown))[:, None]
            sunlit = brightness**1.5 * cover * (0.9 - 0.80 * grown + 0.22 * crown)
            colour = colour + lit * sunlit[:, None]
            # air: everywhere a little, in the valleys much
            thick = 1 - np.exp(-((distance / 1180) ** 1.5))
            bank = 0.5 + 0.5 * sample(fog_noise, wx * 0.8, wy * 0.35)
            low = np.exp(-np.clip(top - 4 - 40 * bank, 0, None) / (17 + distance * 0.020))
            mist = np.clip(thick * 0.95 + low * np.clip((distance - 150) / 640, 0.0, 1) * 0.9, 0, 0.985)
            cold = np.array([0.34, 0.45, 0.53], np.float32)
            golden = np.array([0.98, 0.76, 0.52], np.float32)
            towards_sun = (facing**2.2 * np.clip(distance / 1300, 0.12, 1))[:, None]
            air = cold + (golden - cold) * towards_sun
            colour = colour * (1 - mist[:, None]) + air * mist[:, None]
            span = (rows >= screen) & (rows < filled)
            image = np.where(span[..., None], colour[None], image)
            filled = np.minimum(filled, screen)
        distance += step
        step = max(0.5, distance * 0.0022)

    return develop(image, rng)


def develop(image: Field, rng: np.random.Generator) -> Image.Image:
    """Bloom, tone curve, vignette, grain: what lens and film would add."""
    height, width, _ = image.shape
    bright = np.clip(image - 0.55, 0, 1)
    halo = np.stack([soften(bright[..., c], width / 22) for c in range(3)], -1)
    image = image + halo * 0.55
    image = image * (1 + image / 3.2) / (1 + image)  # shoulder: highlights roll off
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    edge = np.hypot((x - width / 2) / width, (y - height * 0.46) / height)
    image = image * (1 - 0.42 * np.clip(edge - 0.32, 0, 1) ** 1.4)[..., None]
    image = np.clip(image * 1.16, 0, 1) ** (1 / 2.2)
    image = image + 0.55 * (image * image * (3 - 2 * image) - image)  # a little more contrast
    grain = rng.normal(0, 1, (height, width, 1)).astype(np.float32)
    grain = grain * 0.011 * (0.55 + 0.9 * (1 - image.mean(-1, keepdims=True)))
    return Image.fromarray((np.clip(image + grain, 0, 1) * 255 + 0.5).astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="work this many times larger")
    options = parser.parse_args()
    size = round(WIDTH_PX * options.scale), round(HEIGHT_PX * options.scale)
    picture = paint(*size).resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.LANCZOS)
    picture.save(options.out, quality=88, optimize=True)


if __name__ == "__main__":
    main()
