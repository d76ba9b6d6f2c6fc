"""The network as ONNX, and how far the two differ."""

from __future__ import annotations

import io
import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from minefusion.models.methane_forecast.network import Network, say
from minefusion.models.methane_forecast.windows import CHANNELS, LENGTH

OPSET = 18


def as_onnx(network: Network) -> bytes:
    """ONNX of a network: `windows` (n, CHANNELS, LENGTH) to `quantiles` (n, targets, FAN), any n."""
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the exporter that needs no package more
        torch.onnx.export(
            network.eval(),
            (torch.ones(2, CHANNELS, LENGTH),),
            written,  # type: ignore[arg-type]  # this exporter takes a file as well
            input_names=["windows"],
            output_names=["quantiles"],
            dynamic_axes={"windows": {0: "n"}, "quantiles": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,
        )
    return written.getvalue()


def greatest_difference(network: Network, model: bytes, inputs: NDArray[np.float32]) -> float:
    """Largest difference of a quantile between PyTorch and ONNX Runtime on some windows [%]."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return float(np.abs(say(network, inputs) - session.run(None, {"windows": inputs})[0]).max())
