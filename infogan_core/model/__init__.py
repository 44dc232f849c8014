"""The paper: latents, networks, losses, and one frozen Config."""
