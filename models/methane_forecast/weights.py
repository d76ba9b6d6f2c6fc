"""The network's weights as a file of plain arrays: nothing in it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from minefusion.models.methane_forecast.network import Network
from minefusion.schemas.errors import InputError

PRETRAINED = Path(__file__).parent / "shipped" / "pretrained" / "network.npz"


def write_weights(network: Network, path: Path) -> None:
    """Write every weight under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: Mapping[str, Any] = arrays_of(network)
    np.savez_compressed(path, **arrays)


def read_weights(path: Path = PRETRAINED) -> Network:
    """A network with the weights of a file; those pre-trained on simulated shifts where none is given.

    Raises:
        InputError: there is no such file, or it holds another network's weights.
    """
    if not path.is_file():
        raise InputError(f"expected the network's weights at {path}, found none; train it or install the package anew")
    with np.load(path) as stored:
        try:
            return network_of(stored)
        except RuntimeError as error:
            raise InputError(
                f"expected weights of this network in {path}, got others ({str(error).splitlines()[0]}); train it anew"
            ) from None


def network_of(arrays: Mapping[str, NDArray[Any]]) -> Network:
    """A network with these weights, ready to be asked."""
    network = Network()
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    return network.eval()


def arrays_of(network: Network) -> dict[str, NDArray[Any]]:
    """Every weight under its name."""
    return {name: value.numpy().copy() for name, value in network.state_dict().items()}
