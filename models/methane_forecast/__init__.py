"""Methane ahead: quantiles at 3, 10, 30 and 60 min and the chance of reaching the alarm limit, for every methane point.

A caller puts samples on a clock (`on_clock`, `Readings`), loads a forecaster (`predict.load`) and calls
`predict(forecaster, readings, origins)`, which gives a `Forecast`.
"""
