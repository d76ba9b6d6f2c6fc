"""What a folder of exchange files keeps of the specification: one self-contained page, Chinese and English."""

from minefusion.serving.conformance.page import conformance_page

__all__ = ["conformance_page"]
