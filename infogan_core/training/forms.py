"""A training step in three forms: eager, compiled, CUDA graph."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from infogan_core.training.step import Batch, Step

WARMUP = 3  # eager steps before a CUDA graph is captured, so that lazy initialisation stays out of it


class GraphedStep:
    """The same step as one CUDA graph: after WARMUP eager steps, its kernels are recorded once and replayed."""

    def __init__(self, step: Step) -> None:
        self.step, self.stream = step, torch.cuda.Stream()
        self._begin()

    def _begin(self) -> None:
        self.calls, self.graph, self.critic = 0, torch.cuda.CUDAGraph(), self.step.critic

    def __call__(self, batch: Batch) -> Tensor:
        if self.step.critic is not self.critic:  # it has come since: record anew
            self._begin()
        self.calls += 1
        if self.calls <= WARMUP:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                terms = self.step(batch)
            torch.cuda.current_stream().wait_stream(self.stream)
            return terms
        if self.calls == WARMUP + 1:
            clone = [(noise.clone(), [c.clone() for c in codes]) for noise, codes in batch.draws]
            views = (batch.warps.clone(), batch.colors.clone(), batch.noise.clone())
            self.static = Batch(batch.index.clone(), clone, *views)
            with torch.cuda.graph(self.graph):  # records, does not run
                self.terms = self.step(self.static)
        for kept, new in zip(self.static.tensors(), batch.tensors(), strict=True):
            kept.copy_(new)
        self.graph.replay()
        return self.terms


def in_form(step: Step, form: str) -> Callable[[Batch], Tensor]:
    """The step as "eager", "compile" or "graph"; "auto" is a graph on CUDA and eager elsewhere."""
    if form == "auto":
        form = "graph" if step.device.type == "cuda" else "eager"
    if form == "graph" and step.device.type != "cuda":
        raise ValueError(f'step_form="graph" needs a CUDA device, found {step.device}: use "auto"')
    if form == "compile":
        step._r1 = torch.compiler.disable(step._r1)  # what is compiled cannot be differentiated twice
        for half in ("fake", "d_objective", "g_objective"):
            setattr(step, half, torch.compile(getattr(step, half)))
    return GraphedStep(step) if form == "graph" else step
