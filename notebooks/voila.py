"""Voila's settings for the gallery: `c` is the configuration that Voila hands to this file."""

from datetime import UTC, datetime

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager


class Kernels(AsyncMappingKernelManager):
    """Counts a kernel's idle time from when a page takes it.

    Voila keeps a warm kernel for the next page, and asks here only for those that a page has taken. A warm kernel may
    have waited for hours: it would be culled before its page has connected to it.
    """

    async def cull_kernel_if_idle(self, kernel_id):
        kernel = self.get_kernel(kernel_id)
        if not hasattr(kernel, "taken"):
            kernel.taken = kernel.last_activity = datetime.now(UTC)
        await super().cull_kernel_if_idle(kernel_id)


c = get_config()  # noqa: F821
c.Voila.ip = "127.0.0.1"
c.VoilaConfiguration.template = "gallery"
c.VoilaConfiguration.preheat_kernel = True
c.VoilaConfiguration.multi_kernel_manager_class = Kernels
c.VoilaKernelManager.cull_idle_timeout = 60
c.VoilaKernelManager.cull_interval = 10
