"""Silver → forecasts: the models trained, scored and watched."""
