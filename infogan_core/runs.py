"""A run: the trained networks with what is known of them, and its directory on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from infogan_core.device import resolve_device, seeded
from infogan_core.files import check_sums, write_summed, write_whole
from infogan_core.model.config import Config
from infogan_core.model.networks import Discriminator, Generator, to_network_range, to_unit_range

FORMAT_VERSION = 1  # of checkpoint.pt
CHECKPOINT_PARTS = {"done", "seconds", "trace", "records", "optimisers"} | {  # and of its nets and batches:
    *("generator", "discriminator", "ema", "device", "rng", "order", "position"),
}
CHUNK = 1000  # pictures per forward pass outside training, so that memory does not grow with n


@dataclass(repr=False)
class Run:
    """A trained InfoGAN in eval mode, and the numbers that came with it."""

    config: Config
    generator: Generator  # the averaged weights, if config.ema
    discriminator: Discriminator
    path: Path
    device: torch.device
    records: list[dict[str, Any]] = field(default_factory=list)  # metrics.jsonl
    report: dict[str, Any] = field(default_factory=dict)  # metrics.json
    env: dict[str, Any] = field(default_factory=dict)  # env.json
    own_names: dict[str, str] = field(default_factory=dict)  # names.json: a person's, of "c2" and of "c1=3"

    def __repr__(self) -> str:
        c, state = self.config, f"{self.records[-1]['step']:,} of " if self.records else ""
        return f"Run({str(self.path)!r}: {c.dataset}, profile {c.profile}, seed {c.seed}, {state}{c.steps:,} steps)"

    def __post_init__(self) -> None:
        for net in (self.generator, self.discriminator):
            net.to(self.device).eval().requires_grad_(False)

    @torch.no_grad()
    def generate(self, noise: Tensor, codes: list[Tensor]) -> Tensor:
        """Pictures x = G(z, c): noise [N, noise_dim], one tensor [N] per code -> float [N, C, H, W] in 0..1.

        Arrays and lists serve as well. Raises ValueError for a code that is missing, of another length or out of its
        categories.
        """
        spec, noise = self.config.latents, torch.as_tensor(noise, dtype=torch.float32)
        codes = [torch.as_tensor(c) for c in codes]
        spec.check(noise, codes)
        return self.paint(spec.encode(noise.to(self.device), [c.to(self.device) for c in codes]))

    @torch.no_grad()
    def paint(self, zc: Tensor) -> Tensor:
        """`generate` of G's input as LatentSpec.encode gives it, [N, width]; a category may be spread over several."""
        parts = zc.to(self.device).split(CHUNK)
        return torch.cat([to_unit_range(self.generator(part), self.config.image_size) for part in parts])

    def rename(self, key: str, name: str) -> None:
        """Give a code ("c2") or a category ("c1=3") a name of your own, beside the run in names.json; "" takes it back.

        Raises ValueError for another key, or a name of more than 40 characters.
        """
        spec = self.config.latents
        keys = [spec.name(i) for i in range(len(spec.codes))]
        keys += [f"{spec.name(i)}={k}" for i, code in enumerate(spec.codes) for k in range(getattr(code, "k", 0))]
        if key not in keys or len(name) > 40:
            codes = ", ".join(keys[: len(spec.codes)])
            raise ValueError(f"a name of at most 40 characters, for a code or a category of one of {codes}: not {key}")
        names = {k: v for k, v in (self.own_names | {key: name.strip()}).items() if v}
        write_whole(self.path / "names.json", json.dumps(names, indent=1, ensure_ascii=False).encode())
        self.own_names = names

    @torch.no_grad()
    def q_params(self, x: Tensor) -> list[Tensor]:
        """Q's raw outputs, one tensor per code, for log Q(c|x): x float [N, C, H, W] in 0..1 -> [N, q_width] each.

        Raises ValueError for pictures of another shape or kind than the run's own.
        """
        return [torch.cat(columns) for columns in zip(*(self.discriminator(p)[1] for p in self._parts(x)), strict=True)]

    @torch.no_grad()
    def d_logits(self, x: Tensor) -> Tensor:
        """D's output, a logit, or the hinge loss's score, [N], for pictures x as q_params takes them."""
        return torch.cat([self.discriminator(part)[0] for part in self._parts(x)])

    def _parts(self, x: Tensor) -> Iterator[Tensor]:
        c, x = self.config, torch.as_tensor(x)
        shaped = x.dim() == 4 and x.shape[1:] == (c.channels, c.image_size, c.image_size)
        if not shaped or not x.is_floating_point() or not ((x > -0.01) & (x < 1.01)).all():  # resized ones overshoot
            expected = f"float [N, {c.channels}, {c.image_size}, {c.image_size}] in 0..1, pixels / 255"
            values = f" from {x.min().item():g} to {x.max().item():g}" if x.numel() else ""
            raise ValueError(f"this run reads {expected}, found {x.dtype} {list(x.shape)}{values}")
        return (to_network_range(part.float().to(self.device), c.image_size) for part in x.split(CHUNK))

    def infer(self, x: Tensor) -> list[Tensor | tuple[Tensor, Tensor]]:
        """Q(c|x): one entry per code, probabilities [N, K] or (mean, standard deviation) [N]. See q_params for x."""
        return self.config.latents.read(self.q_params(x))

    def save_weights(self, path: Path, dtype: torch.dtype = torch.float32) -> None:
        """weights.safetensors: the averaged G, D and Q; the metadata holds the config."""
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        tensors = {
            f"{name}.{key}": (t.to(dtype) if t.is_floating_point() else t).contiguous().cpu()
            for name, net in nets.items()
            for key, t in net.state_dict().items()
        }
        write_summed(path, save(tensors, metadata={"config": self.config.to_json()}))


def build(config: Config) -> tuple[Generator, Discriminator]:
    """New networks for a config, initialised by its seed. The global random state is left as it was."""
    with seeded(config.seed):
        args = (config.latents, config.image_size, config.channels, config.width)
        after, over = config.norm_after, config.overclusters if config.lambda_real else 0
        G = Generator(*args, config.norm_every, after, config.blur)
        return G, Discriminator(*args, config.slope, after, over)


def layers(config: Config) -> str:
    """The networks of a config as a table: layer, output shape for one picture, parameters."""
    generator, discriminator = build(config)
    spec, features = config.latents, torch.zeros(2, discriminator.d_head.in_features)
    picture = torch.zeros(2, config.channels, config.image_size, config.image_size)
    parts = [
        ("G(z, c)", generator.layers, torch.zeros(2, spec.width)),
        ("trunk of D and Q", discriminator.trunk, picture),
        ("D's head", [discriminator.d_head], features),
        ("Q's head", discriminator.q_head, features),
    ]
    if discriminator.over_head is not None:
        parts.append(("the second head", [discriminator.over_head], features))
    lines, total = [], 0
    for title, net, x in parts:
        lines.append(f"{title + ', input':<28} {'x'.join(map(str, x.shape[1:])):>12}")
        for layer in net:
            x, n = layer(x), sum(p.numel() for p in layer.parameters())
            total += n
            lines.append(
                f"  {type(layer).__name__:<26} {'x'.join(map(str, x.shape[1:])):>12} {f'{n:,}' if n else '':>12}"
            )
    return "\n".join([*lines, f"{'parameters in all':<41} {total:>12,}"])


def load_run(path: str | Path, device: str | torch.device = "auto") -> Run:
    """What train() wrote, or what is published; an unfinished run as of its last checkpoint. Never unpickles code.

    Raises FileNotFoundError for a directory without a run, ValueError for files that are damaged or not its own.
    """
    path = Path(path).expanduser()
    check_sums(path)
    config = read_config(path)
    nets = build(config)
    if (path / "weights.safetensors").is_file():
        file = path / "weights.safetensors"
        states = read_weights(file, config)
    elif (path / "checkpoint.pt").is_file():
        file = path / "checkpoint.pt"
        saved = read_checkpoint(file, config)["nets"]
        states = [saved["ema" if config.ema else "generator"], saved["discriminator"]]
    else:
        raise FileNotFoundError(f"{path} holds no weights: load another run, or train() into it, if it has just begun")
    for net, state in zip(nets, states, strict=True):
        load_state(net, state, file)
    run = Run(config, *nets, path, resolve_device(device))
    run.records = read_json(path / "metrics.jsonl")
    files = ("metrics.json", "env.json", "names.json")
    run.report, run.env, run.own_names = ((*read_json(path / name), {})[0] for name in files)
    return run


def read_weights(file: Path, config: Config) -> list[dict[str, Tensor]]:
    """The states of G and of D with Q in a weights.safetensors. Raises ValueError when it is none, or another run's."""
    try:
        with open(file, "rb"), safe_open(file, framework="pt") as opened:  # open() says why it may not be
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 (no mapping)
            own = (opened.metadata() or {}).get("config")
    except SafetensorError as error:
        raise ValueError(f"{file} is cut short or no safetensors file: {error}") from None
    if own is None or Config.from_json(own) != config:
        raise ValueError(f"{file} belongs to another run than the config.json beside it")
    names = ("generator.", "discriminator.")
    return [{k.removeprefix(name): t for k, t in tensors.items() if k.startswith(name)} for name in names]


def read_checkpoint(file: Path, config: Config) -> dict[str, Any]:
    """A checkpoint.pt: tensors and plain values only. Raises ValueError when it is none, or another run's."""
    ways = "delete it to start again, or choose another out"
    with open(file, "rb") as opened:  # which says itself why it may not be read
        try:
            state = torch.load(opened, map_location="cpu", weights_only=True)
            if state["version"] != FORMAT_VERSION:
                raise ValueError(f"version {state['version']}, not {FORMAT_VERSION}")
            if missing := CHECKPOINT_PARTS - {*state, *state["nets"], *state["batches"]}:
                raise ValueError(f"without {', '.join(sorted(missing))}")
            own = Config.from_json(state["config"])
        except Exception as error:  # torch.load raises whatever its parts raise
            what = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
            raise ValueError(f"{file} is cut short or not a checkpoint ({what}); {ways}") from None
    if own != config:
        raise ValueError(f"{file} belongs to another run than the config.json beside it; {ways}")
    return state


def load_state(net: torch.nn.Module, state: dict[str, Tensor], source: Path) -> None:
    """Load weights of exactly this shape. Raises ValueError, naming the file and the first difference."""
    wanted = net.state_dict()
    for key in sorted(wanted.keys() | state.keys()):
        found, want = (list(d[key].shape) if key in d else "nothing" for d in (state, wanted))
        if found != want:
            raise ValueError(f"{source} belongs to another network: {key} should be {want}, found {found}")
        if not state[key].isfinite().all():
            raise ValueError(f"{source}: {type(net).__name__}.{key} is not finite; restore it, or train in another out")
    net.load_state_dict(state)


def read_config(path: Path) -> Config:
    """config.json of a run directory. Raises FileNotFoundError, or ValueError when it is not one of ours."""
    file = path / "config.json"
    if not file.is_file():
        raise FileNotFoundError(f"{path} is no run directory: it has no config.json")
    try:
        return Config.from_json(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def read_json(file: Path) -> list[dict[str, Any]]:
    """The JSON object in a file, or one per line of a .jsonl; none where there is no file."""
    if not file.is_file():
        return []
    try:
        text = file.read_text()
        found = [json.loads(part) for part in (text.splitlines() if file.suffix == ".jsonl" else [text])]
        for value in found:
            if not isinstance(value, dict):
                raise ValueError(f"an object expected, found {json.dumps(value)[:40]}")
            names = value.get("names", {})
            if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
                raise ValueError(f"names must be an object of strings, found {json.dumps(names)[:40]}")
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{file} is not JSON as train() and evaluate() write it: {error}; delete or restore it"
        ) from None
    return found


def publish(run: Run, to: str | Path) -> Path:
    """Copy a run into the folder `to`, all but the checkpoint, with its weights in fp16. Returns that folder."""
    to = Path(to)
    if to.resolve() == run.path.resolve():
        raise ValueError(f"publish: {to} is the run's own folder, whose weights would lose precision; name another")
    to.mkdir(parents=True, exist_ok=True)
    run.save_weights(to / "weights.safetensors", torch.float16)
    for name in ("config.json", "env.json", "metrics.jsonl", "metrics.json"):
        if (run.path / name).is_file():
            write_summed(to / name, (run.path / name).read_bytes())
    sheets = sorted(run.path.glob("traversals/*.png"))
    for picture in [*sheets, *(run.path / name for name in ("samples.png", "curves.png"))]:
        if picture.is_file():
            (to / picture.relative_to(run.path)).parent.mkdir(exist_ok=True)
            write_whole(to / picture.relative_to(run.path), picture.read_bytes())
    for old in to.glob("traversals/*.png"):
        if old.name not in [sheet.name for sheet in sheets]:
            old.unlink()  # of a code that the run published before had
    return to
