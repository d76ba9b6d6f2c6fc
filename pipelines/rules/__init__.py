"""Declared rules held against what a plant's sensors, laboratory, cameras and people say."""
