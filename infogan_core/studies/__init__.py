"""The paper's claims, measured again. Only `__main__` starts what is in this folder."""
