"""The network's weights as a file of plain arrays: nothing in it runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from minefusion.models.methane_forecast.network import Network
from minefusion.schemas.errors import InputError

PRETRAINED = Path(__file__).parent / "shipped" / "pretrained.npz"


def write_weights(network: Network, path: Path) -> None:
    """Write every weight under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **{name: value.numpy() for name, value in network.state_dict().items()})


def read_weights(path: Path = PRETRAINED) -> Network:
    """A network with the weights of a file; those pre-trained on simulated shifts where none is given.

    Raises:
        InputError: there is no such file, or it holds another network's weights.
    """
    if not path.is_file():
        raise InputError(f"expected the network's weights at {path}, found none; train it or install the package anew")
    network = Network()
    with np.load(path) as stored:
        try:
            network.load_state_dict({name: torch.from_numpy(stored[name]) for name in stored.files})
        except RuntimeError as error:
            raise InputError(
                f"expected weights of this network in {path}, got others ({str(error).splitlines()[0]}); train it anew"
            ) from None
    return network.eval()
