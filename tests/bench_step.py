"""make bench: one step of the paper's MNIST networks, batch 128, beside plain eager fp32 of the same, in one process.

Plain: the same losses with torch's defaults, as a script would write them; fp32, contiguous, Adam as it comes, every
batch through D on its own, D's gradients computed and thrown away in G's update, no warps and no average of G. Beside
it the suite's step, doing more (warps, average) in both cases: with fresh fakes for G's update as plain has them, and
as the paper preset has it, with those of D's update.
"""

import contextlib
import statistics
import time

import torch

import infogan_core as ig
from infogan_core.device import cuda_settings, environment, resolve_device, resolve_precision
from infogan_core.training.forms import in_form
from infogan_core.training.step import Batches, Step

ROUNDS, STEPS = 7, 5  # the two take turns, so that a drift of the machine's speed touches both


def plain(config, pixels, device):
    spec, (G, D) = config.latents, ig.build(config)
    G, D = G.to(device).train(), D.to(device).train()
    opt_d = torch.optim.Adam(D.parameters(), config.lr_d, betas=(config.beta1, 0.999))
    opt_g = torch.optim.Adam(G.parameters(), config.lr_g, betas=(config.beta1, 0.999))

    def info(q_params, codes):
        return ig.info_loss(ig.mi_bound(spec, q_params, codes), config.lambda_info)

    def step(batch):
        (noise, codes), (noise_g, codes_g) = batch.draws
        fake = G(spec.encode(noise, codes))
        real_logits, _ = D(pixels[batch.index].float() / 255)
        fake_logits, q_params = D(fake.detach())
        opt_d.zero_grad()
        (ig.d_loss(real_logits, fake_logits) + info(q_params, codes)).backward()
        opt_d.step()
        fake_logits, q_params = D(G(spec.encode(noise_g, codes_g)))
        opt_g.zero_grad()
        (ig.g_loss(fake_logits) + info(q_params, codes_g)).backward()
        opt_g.step()

    return step, Batches(config.replace(fresh_fakes=True), len(pixels), device)


def ours(config, pixels, device):
    dtype = resolve_precision(config.precision, device)
    step = Step(config, ig.build(config), ig.build(config)[0], pixels, dtype)
    return in_form(step, config.step_form), Batches(config, len(pixels), device)


def seconds(step, batches, device):
    def synchronise():
        if device.type == "cuda":
            torch.cuda.synchronize()

    synchronise()
    start = time.perf_counter()
    for _ in range(STEPS):
        step(next(batches))
    synchronise()
    return (time.perf_counter() - start) / STEPS


def main():
    device, config = resolve_device("auto"), ig.preset("mnist", "paper")
    images = ig.load_images("mnist")
    pixels = images.pixels.to(device)
    forms = {
        "plain eager fp32": plain(config, pixels, device),
        "this suite, fresh_fakes": ours(config.replace(fresh_fakes=True), pixels, device),
        "this suite, paper preset": ours(config, pixels, device),
    }
    times = {name: [] for name in forms}
    for turn in range(ROUNDS + 1):
        for name, (step, batches) in forms.items():
            with cuda_settings(device) if name != "plain eager fp32" else contextlib.nullcontext():
                times[name].append(seconds(step, batches, device))
        if turn == 0:
            times = {name: [] for name in forms}  # that was the warm-up
    env = environment(images, device, resolve_precision(config.precision, device))
    print(
        f"{env['device']}, {env['threads']} threads, {env['precision']}, torch {env['torch']}; {ROUNDS} x {STEPS} steps"
    )
    for name, values in times.items():
        ratios = [a / b for a, b in zip(times["plain eager fp32"], values, strict=True)]
        spread = f"(from {min(ratios):.2f} to {max(ratios):.2f})"
        ms = 1000 * statistics.median(values)
        print(f"{name:<25} {ms:6.1f} ms a step, {statistics.median(ratios):.2f} times as fast {spread}")


if __name__ == "__main__":
    main()
