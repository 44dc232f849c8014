"""The paper's claims, measured again. Nothing imports this folder."""
